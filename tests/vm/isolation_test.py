#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Guests that work against each other: busy, hostile, curious about memory."""
import os
import re
import time
import harness


class Isolation(harness.VmTest):
    def test_spinning_vcpus_starve_nobody(self):
        for _ in range(2 * (os.cpu_count() or 2)):
            self.machine.create("spin")
        start = time.monotonic()
        self.expect_pass("hello")
        self.expect_pass("timers", extra="rounds=3")
        self.assertLess(time.monotonic() - start, 30)

    def test_spinning_vcpus_share_fairly(self):
        names = [self.machine.create("spin") for _ in range(2 * (os.cpu_count() or 2))]
        time.sleep(3)  # what is measured is CPU time over a span of time
        used = {}
        for line in self.machine.xl("list").stdout.splitlines()[1:]:
            fields = line.split()
            if fields[0] in names:
                used[fields[0]] = float(fields[5])
        self.assertGreater(min(used.values()), 0.3 * max(used.values()), used)

    def test_hostile_hypercalls(self):
        neighbour = self.machine.create("idle")
        before = self.machine.footprint()
        for seed in range(1, 21):
            result = self.machine.run("fuzz", extra=f"seed={seed} calls=20000", on_reboot="destroy", check=False,
                                      timeout=30)
            self.assertRegex(result.stdout, f"fuzz seed {seed}")
            self.assertIsNone(re.search("FAIL .*", result.stdout), result.stdout[-500:])
        self.assertIn(neighbour, self.machine.domains())
        self.machine.expect_footprint(before)
        self.expect_pass("hello")

    def test_memory_is_scrubbed(self):
        for _ in range(4):
            self.assertRegex(self.expect_pass("scrub", memory=64).stdout, r"marked 1\d\d\d\d pages")

    def test_memory_of_a_destroyed_domain_is_scrubbed(self):
        for _ in range(4):
            name = self.machine.create("scrub", memory=64, on_poweroff="preserve")
            self.machine.xl("destroy", name)
            self.expect_pass("scrub", memory=64)

    def test_what_the_builder_wrote_and_no_guest_touched_is_scrubbed(self):
        module = self.machine.directory / "module"
        module.write_bytes(b"secret!!" * (3 << 20))
        for flags in (("-p",), ()):  # never ran; ran and did not look at it
            name = self.machine.create("idle", *flags, memory=64, ramdisk=str(module))
            self.machine.xl("destroy", name)
            self.expect_pass("scrub", memory=64)

    def test_new_code_runs_in_reused_frames(self):
        """The rule of the emulated CPU: see docs/adr/0007-the-rule-of-the-emulated-cpu.md for what fails without it."""
        for _ in range(15):
            self.assertIn("reuse from 10000", self.expect_pass("reuse-a", verdict="reuse").stdout)
            self.assertIn("reuse from 20000", self.expect_pass("reuse-b", verdict="reuse").stdout)


if __name__ == "__main__":
    harness.main()
