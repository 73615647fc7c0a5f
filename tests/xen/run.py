#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the programs of the suite `xen` in one test bed, one after the other, as one TAP test.

    run.py FORMAT:NAME:PATH...

FORMAT is tap (the program prints TAP), gtest (each GoogleTest case counts) or exit (its exit status says it; 77: skipped).
Each case is reported as "NAME: case".
"""
import os
import re
import subprocess
import sys
import time

TAP = re.compile(r"(ok|not ok)\b\s*\d*\s*-?\s*(.*)")
TAP_SKIP_ALL = re.compile(r"1\.\.0\b.*#\s*skip\b\s*(.*)", re.IGNORECASE)
GTEST = re.compile(r"\[\s*(OK|FAILED|SKIPPED)\s*\] (\w+\S*\.\S+?)(?:,.*)?(?: \(\d+ ms\))?$")
SKIPPED = 77


class Report:
    def __init__(self):
        self.number = 0
        self.failed = 0

    def case(self, good, text):
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {text}", flush=True)

    def end(self):
        print(f"1..{self.number}", flush=True)
        return 1 if self.failed else 0


class Program:
    def __init__(self, report, form, name, path):
        self.report, self.form, self.name = report, form, name
        self.command = [sys.executable, path] if path.endswith(".py") else [path]
        self.seen = set()
        self.skipped = False

    def case(self, good, text):
        self.report.case(good, f"{self.name}: {text}")

    def take(self, line):
        """Reports what the line says of a case; other lines are shown as comments, for those who look for a failure."""
        if self.form == "tap" and (found := TAP.match(line)):
            self.seen.add(found[2])
            self.case(found[1] == "ok", found[2])
        elif self.form == "tap" and (found := TAP_SKIP_ALL.match(line)):
            self.skipped = True
            self.case(True, f"all # SKIP {found[1]}")
        elif self.form == "gtest" and (found := GTEST.match(line)) and found[2] not in self.seen:
            self.seen.add(found[2])  # the list of failures at the end names them once more
            self.case(found[1] != "FAILED", found[2] + (" # SKIP" if found[1] == "SKIPPED" else ""))
        elif not (self.form == "tap" and line.startswith("1..")):
            print("# " + line, flush=True)

    def run(self):
        failed, begun = self.report.failed, time.monotonic()
        with subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace") as process:
            for line in process.stdout:
                self.take(line.rstrip("\n"))
        status = process.returncode
        if self.form == "exit":
            self.case(status in (0, SKIPPED), "runs" + (" # SKIP" if status == SKIPPED else ""))
        elif status != 0 and self.report.failed == failed:
            self.case(False, f"ends well (exit status {status})")
        elif status == 0 and not self.seen and not self.skipped:
            self.case(False, "reports a case")
        print(f"# {self.name}: {time.monotonic() - begun:.1f} s", flush=True)


def main():
    report = Report()
    print(f"# dom0 has been up for {open('/proc/uptime', encoding='ascii').read().split()[0]} s")
    for word in sys.argv[1:]:
        form, name, path = word.split(":", 2)
        if not os.path.exists(path):
            report.case(False, f"{name}: is built ({path})")
            continue
        Program(report, form, name, path).run()
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
