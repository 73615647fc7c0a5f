# SPDX-License-Identifier: Apache-2.0
"""What the vm tests share: a machine (runtime directory, xld, hypervisor), guests, and a TAP report.

The tests see what a user sees: exit status, output, files, processes. XL_BUILD is the build folder; XL_TEST_QEMU, if
set, the QEMU that runs the hypervisor, and the tests are skipped when it is not there.
"""
import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import unittest
from pathlib import Path

BUILD = Path(os.environ.get("XL_BUILD", Path(__file__).parents[2] / "build")).resolve()
XL = BUILD / "xl" / "xl"
GUESTS = BUILD / "tests" / "guests"
FETCHED = Path(os.environ.get("XL_FETCHED", BUILD / "fetched"))
KERNEL = FETCHED / "vmlinuz"
INITRD = FETCHED / "initrd.gz"


def wait_until(condition, what, seconds=10.0):
    """Polls, as these are other processes' states that nothing announces to us."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)
    return value


class Machine:
    """One runtime directory, and with it one daemon and one hypervisor. Goes with all that it started."""

    def __init__(self, qemu_arguments="", environment=None, prefix=()):
        self.directory = Path(tempfile.mkdtemp(prefix="xlvm-"))
        self.runtime = self.directory / "run"
        self.runtime.mkdir(mode=0o700)
        self.prefix = list(prefix)
        self.xl_path = XL
        self.environment = dict(os.environ, XL_RUNTIME_DIR=str(self.runtime), **(environment or {}))
        qemu = os.environ.get("XL_TEST_QEMU", "qemu-system-x86_64")
        if qemu_arguments:
            wrapper = self.directory / "qemu-wrapper"
            wrapper.write_text(f'#!/bin/sh\nexec {qemu} "$@" {qemu_arguments.format(directory=self.directory)}\n')
            wrapper.chmod(0o755)
            qemu = str(wrapper)
        self.environment["XL_QEMU"] = shutil.which(qemu) or qemu
        self.number = 0
        atexit.register(self.close)

    # --- commands ---

    def popen(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   "text": True, "errors": "replace"} | options
        return subprocess.Popen([*self.prefix, str(self.xl_path), *map(str, arguments)], env=self.environment, **options)

    def xl(self, *arguments, check=True, timeout=60, stdin=None):
        """Runs one command to its end. `check`: it has to succeed."""
        process = self.popen(*arguments, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL)
        try:
            output, errors = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            raise AssertionError(f"xl {' '.join(map(str, arguments))}: not done in {timeout} s\n"
                                 f"{output[-2000:]}\n{errors[-2000:]}") from None
        if check and process.returncode != 0:
            raise AssertionError(f"xl {' '.join(map(str, arguments))}: exit status {process.returncode}\n"
                                 f"{output[-2000:]}\n{errors[-2000:]}\n{self.hypervisor_log()[-2000:]}")
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def configuration(self, kernel, extra="", memory=32, vcpus=1, name=None, **keys):
        """Arguments of `xl create` for a domain without a file."""
        self.number += 1
        keys = {"name": name or f"{Path(kernel).stem}-{self.number}", "kernel": str(kernel), "memory": memory,
                "vcpus": vcpus, "extra": extra} | keys
        return ["/dev/null"] + [f"{key}={json.dumps(value)}" for key, value in keys.items()]

    def create(self, guest, *flags, **keys):
        """Creates a tiny guest (by name) and returns its domain's name."""
        arguments = self.configuration(GUESTS / f"{guest}.elf", **keys)
        self.xl("create", *flags, *arguments)
        return json.loads(arguments[1].removeprefix("name="))

    def run(self, guest, check=True, timeout=60, **keys):
        """Runs a tiny guest to its end with its console here."""
        return self.xl("create", "-c", *self.configuration(GUESTS / f"{guest}.elf", **keys), check=check,
                       timeout=timeout)

    def hypervisor_log(self):
        process = self.popen("dmesg")
        try:
            return process.communicate(timeout=5)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return "(no log)"

    # --- what is there ---

    def status(self):
        return json.loads(self.xl("daemon", "status", "--json").stdout)

    def info(self, key):
        return self.xl("info", key).stdout.split(":")[-1].strip()

    def domains(self):
        """Names of the domains, without Domain-0."""
        lines = self.xl("list").stdout.splitlines()[1:]
        return [line.split()[0] for line in lines if line.split()[0] != "Domain-0"]

    def domain_id(self, name):
        return int(self.xl("domid", name).stdout)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.status()['pid']}/fd"))

    def footprint(self):
        """What must be the same before and after: domains, free memory, the daemon's descriptors. The least of a few counts
        of those, as the connection of the command before may still be closing."""
        return {"domains": sorted(self.domains()), "free": self.info("free_memory"),
                "fds": min(self.descriptors() for _ in range(3))}

    def left_behind(self, before):
        """What differs; fewer descriptors than before are none left behind."""
        now = self.footprint()
        return {key: now[key] for key in now
                if (now[key] > before[key] if key == "fds" else now[key] != before[key])}

    def expect_footprint(self, before, seconds=5.0):
        try:
            wait_until(lambda: self.left_behind(before) == {}, "the footprint is as before", seconds)
        except AssertionError:
            raise AssertionError(f"left behind: before {before}, after {self.footprint()}") from None

    def processes(self, name):
        """Process ids of this machine, by a prefix of their program's name."""
        mark = f"XL_RUNTIME_DIR={self.runtime}\0".encode()
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (entry / "comm").read_text().startswith(name) and \
                        mark in (entry / "environ").read_bytes() + b"\0":
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def qemu(self):
        pids = self.processes("qemu-system")
        assert len(pids) == 1, f"{len(pids)} hypervisors"
        return pids[0]

    def close(self):
        atexit.unregister(self.close)
        for name in ("xld", "qemu-system", "xl"):
            for pid in self.processes(name):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        shutil.rmtree(self.directory, ignore_errors=True)


class VmTest(unittest.TestCase):
    """One machine for all cases of the class."""

    @classmethod
    def setUpClass(cls):
        cls.machine = Machine()
        cls.machine.xl("info")  # starts daemon and hypervisor

    @classmethod
    def tearDownClass(cls):
        cls.machine.close()

    def tearDown(self):
        for name in self.machine.domains():
            self.machine.xl("destroy", name, check=False)

    def expect_pass(self, guest, verdict=None, **keys):
        """Runs the guest; it has to print PASS and end well."""
        result = self.machine.run(guest, check=False, **keys)
        failure = re.search(r"FAIL .*", result.stdout)
        self.assertIsNone(failure, failure and failure[0])
        self.assertRegex(result.stdout, rf"PASS {verdict or guest}\r?\n",
                         f"{result.stderr[-1500:]}\n{self.machine.hypervisor_log()[-3000:]}")
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def expect_restarts(self, name, times, seconds):
        """The domain comes back under a new id, so often. It may be between two lives when it is asked for."""
        def number():
            result = self.machine.xl("domid", name, check=False)
            return int(result.stdout) if result.returncode == 0 else None
        seen = set()
        wait_until(lambda: seen.add(number()) or len(seen - {None}) > times, f"'{name}' came back {times} times", seconds)

    def expect_error(self, result, *words):
        """Exactly one error, with its cause; exit status not 0."""
        self.assertNotEqual(result.returncode, 0, result.stdout)
        errors = re.findall(r"^xl: error: |:\d+:\d+: error: ", result.stderr, re.MULTILINE)
        self.assertEqual(len(errors), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)


class TapResult(unittest.TestResult):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.number = 0

    def line(self, verdict, test, note="", text=""):
        self.number += 1
        name = getattr(test, "_testMethodName", str(test)).removeprefix("test_")
        print(f"{verdict} {self.number} - {name}{note}", flush=True)
        for part in text.splitlines():
            print(f"# {part}", flush=True)

    def addSuccess(self, test):
        self.line("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line("not ok", test, text="".join(traceback.format_exception(*err)))

    def addError(self, test, err):
        super().addError(test, err)
        self.line("not ok", test, text="".join(traceback.format_exception(*err)))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.line("not ok", test, text=f"{subtest}\n" + "".join(traceback.format_exception(*err)))


def main():
    """Runs the cases of the calling module, or those whose names hold one of the arguments."""
    qemu = os.environ.get("XL_TEST_QEMU")
    if qemu and not shutil.which(qemu):
        print(f"1..0 # SKIP {qemu} is not there")
        sys.exit(0)
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    cases = [test for group in suite for test in group]
    chosen = [test for test in cases if not sys.argv[1:] or any(word in test.id() for word in sys.argv[1:])]
    result = TapResult()
    unittest.TestSuite(chosen).run(result)
    print(f"1..{result.number}")
    sys.exit(0 if result.wasSuccessful() else 1)
