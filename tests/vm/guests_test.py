#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each tiny guest, on one hypervisor."""
import harness


class Guests(harness.VmTest):
    def test_hello(self):
        result = self.expect_pass("hello", extra="one two=3")
        self.assertIn("hello from a 64-bit domain on Xen 4.17", result.stdout)
        self.assertRegex(result.stdout, r"command line: one two=3\r?\n")

    def test_hello32(self):
        self.assertIn("hello from a 32-bit domain", self.expect_pass("hello32").stdout)

    def test_exceptions(self):
        self.expect_pass("exceptions")

    def test_events(self):
        self.expect_pass("events")

    def test_timers(self):
        self.expect_pass("timers")

    def test_memory_small(self):
        self.assertIn("RAM 8 MiB", self.expect_pass("memory", memory=8).stdout)

    def test_memory_odd(self):
        self.assertIn("RAM 33 MiB", self.expect_pass("memory", memory=33).stdout)

    def test_memory_large(self):
        self.assertIn("RAM 1030 MiB", self.expect_pass("memory", memory=1030).stdout)

    def test_spin(self):
        self.expect_pass("spin", extra="seconds=1")

    def test_smp(self):
        for cpus in (2, 4):
            with self.subTest(cpus=cpus):
                self.assertIn(f"{cpus} cpus ran", self.expect_pass("smp", vcpus=cpus, extra=f"cpus={cpus}").stdout)

    def test_vcpus_in_16_32_and_64_bit_modes(self):
        output = self.expect_pass("vcpus", vcpus=1, maxvcpus=4).stdout
        self.assertEqual(harness.re.findall(r"vcpu (\d) ran in mode (\d+)", output), [("1", "16"), ("2", "32"), ("3", "64")])

    def test_watchdog(self):
        """Two of them, poked, given back, and at last run out, which ends the domain with that reason."""
        result = self.machine.run("watchdog", check=False)
        self.assertRegex(result.stdout, r"now it bites\r?\n")
        self.assertNotIn("FAIL", result.stdout)
        self.assertIn("watchdog", result.stderr)
        self.assertEqual(result.returncode, 6, result.stderr)

    def test_nothing_is_left(self):
        before = self.machine.footprint()
        for _ in range(10):
            self.expect_pass("hello")
        self.machine.expect_footprint(before)


if __name__ == "__main__":
    harness.main()
