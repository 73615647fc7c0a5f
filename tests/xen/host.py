# SPDX-License-Identifier: Apache-2.0
"""What the tests in dom0 of the Xen test bed share: the stock toolstack, and configurations for it."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "vm"))
from harness import GUESTS, INITRD, KERNEL, XL, main, wait_until  # noqa: E402,F401

STOCK_XL = "/usr/sbin/xl"
CONSOLE_LOGS = Path("/var/log/xen/console")
# The stock toolstack cannot make a smaller PVH domain: 4.17.7 gives it too few pages for its page tables.
SMALLEST_MIB = 32


def run(*command, check=True, timeout=60, **options):
    """Runs a command to its end. `check`: it has to succeed."""
    command = list(map(str, command))
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout,
                          check=False, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


def stock(*arguments, **options):
    return run(STOCK_XL, *arguments, **options)


def ours(*arguments, **options):
    return run(XL, *arguments, **options)


def tiny(name, guest="idle", memory=SMALLEST_MIB, **keys):
    """Path of a configuration of one of tests/guests/."""
    return configuration(name, **{"kernel": GUESTS / f"{guest}.elf", "memory": memory} | keys)


def debian(name, memory=256, **keys):
    return configuration(name, kernel=KERNEL, ramdisk=INITRD, memory=memory, **{"extra": "console=hvc0", **keys})


def configuration(name, **keys):
    keys = {"type": "pvh", "name": name, "vcpus": 1} | keys
    with tempfile.NamedTemporaryFile("w", prefix=f"{name}-", suffix=".cfg", delete=False) as file:
        file.writelines(f"{key}={json.dumps(str(value) if isinstance(value, Path) else value)}\n" for key, value in keys.items())
    return file.name


def domains():
    """Name to domid of all domains but dom0, as the stock toolstack sees them."""
    rows = [line.split() for line in stock("list").stdout.splitlines()[1:]]
    return {row[0]: int(row[1]) for row in rows if row[1] != "0"}


def console_log(name):
    try:
        return (CONSOLE_LOGS / f"guest-{name}.log").read_text(errors="replace")
    except FileNotFoundError:
        return ""


class XenTest(unittest.TestCase):
    """A test that leaves no domain behind."""

    def setUp(self):
        if not os.path.exists("/proc/xen/capabilities"):
            self.skipTest("not in dom0 of a Xen host")
        self.before = set(domains())
        self.addCleanup(self.destroy_new)

    def destroy_new(self):
        for name, domid in domains().items():
            # By ours and its name first: one that is restarted again and again has another domid by now.
            if name not in self.before and ours("destroy", name, check=False).returncode != 0:
                stock("destroy", domid, check=False)
