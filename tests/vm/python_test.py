#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python module with real guests."""
import os
import re
import signal
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import harness
import initramfs

sys.path.insert(0, str(Path(__file__).parents[2] / "python"))
import xlpp  # noqa: E402

PATIENCE = 120
# The kernel calls /sbin/poweroff and /sbin/reboot when it is asked to.
SCRIPT = r"""
mkdir -p /sbin
for word in poweroff reboot; do
  printf '#!/bin/busybox sh\nexec /bin/busybox %s -f\n' $word >/sbin/$word
  chmod +x /sbin/$word
done
echo ready
while read -r line; do echo "answer: $line"; done
"""


class TinyGuests(harness.VmTest):
    def setUp(self):
        os.environ["XL_QEMU"] = self.machine.environment["XL_QEMU"]
        self.xl = xlpp.Client(self.machine.runtime, xl=harness.XL)

    def guest(self, name, **overrides):
        return self.xl.create(overrides={"name": name, "kernel": str(harness.GUESTS / f"{name}.elf"), "memory": 16,
                                         "on_poweroff": "preserve", **overrides})

    def consoles(self):
        """How many were attached until now, by xld's own account."""
        return int(re.search(r'xl_api_streams_total{path="/v1/domains/{}/console"} (\d+)', self.xl.metrics())[1])

    def test_hello(self):
        with self.guest("hello") as domain:
            domain.wait("console=PASS hello", timeout=PATIENCE)
            domain.wait("shutdown", timeout=PATIENCE)
            self.assertEqual(domain.info().shutdown_reason, "poweroff")
            self.assertIn("PASS hello", domain.console_text())
        self.assertFalse(domain.exists())

    def test_echo(self):
        with self.guest("echo") as domain, domain.console() as console:
            console.write("over there\r")
            console.wait_for("over there", timeout=PATIENCE)

    def test_a_wait_goes_on_when_xld_is_killed(self):
        with self.guest("echo") as domain, ThreadPoolExecutor() as pool:
            before = self.consoles()
            waiting = pool.submit(domain.wait, "console=^echo: (later)", timeout=PATIENCE)
            harness.wait_until(lambda: self.consoles() > before, "it waits", 30)
            os.kill(self.xl.daemon().pid, signal.SIGKILL)
            with domain.console() as console:
                console.write("later\r")
                self.assertEqual(waiting.result(PATIENCE)[1], "later")

    def test_crash(self):
        with self.guest("crash", on_crash="preserve") as domain, self.assertRaises(xlpp.DomainEnded) as caught:
            domain.wait("shutdown", timeout=PATIENCE)
        self.assertEqual(caught.exception.reason, "crash")


@unittest.skipUnless(harness.KERNEL.exists() and harness.INITRD.exists(), "no Debian kernel; devtool fetches it")
class Debian(harness.VmTest):
    setUp = TinyGuests.setUp

    def test_a_job(self):
        image = initramfs.write(self.machine.directory / "initrd", SCRIPT)
        with self.xl.create(overrides={"name": "debian", "kernel": str(harness.KERNEL), "ramdisk": str(image), "memory": 256,
                                       "maxvcpus": 2, "vcpus": 1, "extra": "console=hvc0 quiet"}) as domain:
            domain.wait("booted", timeout=PATIENCE)
            with domain.console() as console:
                console.wait_for("^ready", timeout=PATIENCE)
                console.write("six times seven\n")
                self.assertEqual(console.wait_for("answer: (.*)", timeout=PATIENCE)[1], "six times seven")
            domain.dump_core(self.machine.directory / "core", compression="zstd")
            self.assertGreater((self.machine.directory / "core").stat().st_size, 1024 * 1024)
            self.assertIn('name="debian"', self.xl.metrics())
            self.assertGreater(domain.info().cpu_time_ns, 0)
            self.assertTrue(domain.memory().has_driver)
            first = domain.domid
            self.assertEqual(domain.reboot(wait=True, timeout=PATIENCE).end.successor, domain.domid)
            self.assertNotEqual(domain.domid, first)
            domain.wait("console=^ready", timeout=PATIENCE)
            self.assertEqual(domain.shutdown(wait=True, timeout=PATIENCE).event, "ended")
            self.assertFalse(domain.exists())


if __name__ == "__main__":
    harness.main()
