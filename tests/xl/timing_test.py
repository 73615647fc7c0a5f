#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""xl create --timing: the phases add up to what a clock outside measures."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import fake  # noqa: E402

XL, XLD = (os.path.abspath(path) for path in sys.argv[1:3])
PATIENCE = 60
DAEMON = ["config", "image", "layout", "hypervisor", "create", "populate", "load", "platform", "xenstore", "connect",
          "record"]


class TimingTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="xl-timing-")
        self.env = fake.environment(self.dir, XLD)
        Path(self.dir, "kernel").write_bytes(fake.kernel())
        Path(self.dir, "guest.cfg").write_text(fake.CONFIG)

    def tearDown(self):
        subprocess.run([XL, "daemon", "stop", "--all"], env=self.env, timeout=PATIENCE, check=False)
        shutil.rmtree(self.dir)

    def xl(self, *words):
        """Its result, and how long it took, in ns."""
        began = time.monotonic_ns()
        done = subprocess.run([XL, *words], env=self.env, cwd=self.dir, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, capture_output=True)
        return done, time.monotonic_ns() - began

    def test_phases_add_up(self):
        for name, started, image in (("one", "started", "read"), ("two", None, "cached")):
            done, wall = self.xl("create", "--timing", "--json", "guest.cfg", f"name='{name}'")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            created = json.loads(done.stdout)
            self.assertEqual(created["name"], name)
            phases = {phase["phase"]: phase for phase in created["phases"]}
            self.assertEqual([phase["phase"] for phase in created["phases"]],
                             ["start", "read", "xld", "request", *DAEMON, "unpause", "report"])
            self.assertEqual(sum(phase["ns"] for phase in created["phases"]), created["total_ns"])
            self.assertEqual(phases["xld"].get("note"), started)
            self.assertEqual(phases["image"]["note"], image)
            # The clock outside has in addition the start of the process and its end.
            self.assertLessEqual(created["total_ns"], wall)
            self.assertGreater(created["total_ns"], wall - 200_000_000)

    def test_table(self):
        done, _ = self.xl("create", "-p", "--timing", "guest.cfg")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        rows = [re.fullmatch(r"(\w+) +(\d+\.\d{3}) ms +(\d+\.\d) %(?:  (\w+))?", line)
                for line in done.stderr.splitlines()]
        self.assertEqual([row[1] for row in rows],
                         ["start", "read", "xld", "request", *DAEMON, "report", "total"])
        *parts, total = rows
        self.assertAlmostEqual(sum(float(row[2]) for row in parts), float(total[2]), delta=0.001 * len(rows))
        self.assertAlmostEqual(sum(float(row[3]) for row in parts), 100, delta=0.05 * len(rows))
        self.assertEqual(total[3], "100.0")

    def test_json_without_timing_and_where_it_does_not_go(self):
        done, _ = self.xl("create", "--json", "guest.cfg")
        self.assertEqual((done.returncode, json.loads(done.stdout)["warnings"]), (0, []))
        done, _ = self.xl("create", "--json", "-c", "guest.cfg")
        self.assertEqual((done.returncode, done.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
