#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No page of the hypervisor is writable and executable; QEMU is confined; an ordinary user needs nothing more."""
import os
import re
import shutil
import socket
import unittest
import harness


class Monitor:
    """QEMU's human monitor, which only this test's wrapper switches on."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self.read()

    def read(self):
        data = b""
        while not data.endswith(b"(qemu) "):
            data += self.socket.recv(1 << 20)
        return data.decode()

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\n")
        return self.read()


class Pages(unittest.TestCase):
    def check_pages(self, cpu, listing):
        """X in the flags: no-execute is set. W: writable. P: a large page, which reaches to the next entry at most."""
        pages = [(int(virtual, 16), int(physical, 16), flags) for virtual, physical, flags in
                 re.findall(r"^([0-9a-f]{16}): ([0-9a-f]{16}) (\S{9})", listing, re.MULTILINE)]
        writable, executable = [], []
        for (virtual, physical, flags), (following, _, _) in zip(pages, pages[1:] + [(1 << 64, 0, "")]):
            size = min(following - virtual, 1 << 30) if "P" in flags else 4096
            if "W" in flags:
                self.assertIn("X", flags, f"cpu {cpu}: {virtual:#x} -> {physical:#x} {flags}")
                writable.append((physical, physical + size))
            elif "X" not in flags:
                executable.append((physical, physical + size))
        self.assertTrue(executable and writable, "the listing lacks code or data")
        for start, end in executable:  # nor may the same memory be writable under another address
            self.assertFalse([other for other in writable if start < other[1] and other[0] < end], hex(start))

    def test_no_page_is_writable_and_executable(self):
        machine = harness.Machine(qemu_arguments="-monitor unix:{directory}/monitor,server=on,wait=off")
        try:
            machine.xl("info")
            monitor = Monitor(machine.directory / "monitor")
            for cpu in range(os.cpu_count() or 1):
                monitor.ask(f"cpu {cpu}")
                self.check_pages(cpu, monitor.ask("info tlb"))
        finally:
            machine.close()


class Confinement(harness.VmTest):
    def test_qemu_is_sandboxed_and_has_no_network(self):
        with open(f"/proc/{self.machine.qemu()}/status", encoding="utf-8") as status:
            self.assertRegex(status.read(), r"Seccomp:\s+2")
        with open(f"/proc/{self.machine.qemu()}/cmdline", encoding="utf-8") as arguments:
            words = arguments.read().split("\0")
        self.assertIn("-nodefaults", words)
        self.assertNotIn("-netdev", words)

    def test_runtime_directory_is_private(self):
        self.assertEqual(os.stat(self.machine.runtime).st_mode & 0o077, 0)


class OrdinaryUser(unittest.TestCase):
    @unittest.skipUnless(os.getuid() == 0 and shutil.which("setpriv"), "runs as an ordinary user anyway")
    def test_create_as_nobody(self):
        machine = harness.Machine(prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
        try:
            shutil.copytree(harness.BUILD / "tests" / "guests", machine.directory / "guests",
                            ignore=lambda _, names: [name for name in names if not name.endswith(".elf")])
            for path in (machine.directory, machine.runtime):
                os.chown(path, 65534, 65534)
            result = machine.xl("create", "-c", *machine.configuration(machine.directory / "guests" / "hello.elf"))
            self.assertIn("PASS hello", result.stdout)
            with open(f"/proc/{machine.status()['pid']}/status", encoding="utf-8") as status:
                self.assertRegex(status.read(), r"Uid:\s+65534")
        finally:
            machine.close()


if __name__ == "__main__":
    harness.main()
