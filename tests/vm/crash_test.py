#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Domains that end badly: only they end, the error carries their last line, xl dmesg has the report."""
import time
import harness


class Crashes(harness.VmTest):
    def expect_crash(self, how, **keys):
        self.machine.xl("dmesg", "-c")
        result = self.machine.run("crash", extra=how, check=False, timeout=20, **keys)
        self.assertIn("crash: the last words", result.stdout)
        # Code where no memory is gets #GP, as on Xen: the guest still speaks.
        self.expect_error(result, "trap 13" if how == "hole" else "crash: the last words")
        return self.machine.xl("dmesg").stdout

    def test_shutdown_crash(self):
        self.assertRegex(self.expect_crash("shutdown").lower(), r"rip")

    def expect_triple_fault(self, how):
        """A reboot, as on Xen and on hardware; but the user is told."""
        report = self.expect_crash(how, on_reboot="destroy", on_crash="preserve")
        events = self.machine.xl("events").stdout.splitlines()
        self.assertIn(" reason=reboot cause='triple fault' ", events[-1])
        return report

    def test_triple_fault(self):
        report = self.expect_triple_fault("triple").lower()
        for word in ("rip", "rax", "cr3", "exit", "hypercall"):
            self.assertIn(word, report)

    def test_jump_into_a_hole(self):
        self.expect_crash("hole")

    def test_lost_stack(self):
        self.expect_triple_fault("stack")

    def test_triple_faults_for_ever(self):
        """Not in a busy loop, and not without a word."""
        process = self.machine.popen("create", "-F", *self.machine.configuration(
            harness.GUESTS / "crash.elf", extra="triple", name="faulty"))
        start = time.monotonic()
        warnings = [process.stderr.readline() for _ in range(3)]
        self.assertGreater(time.monotonic() - start, 4)  # two lives of two seconds, and the beginning of a third
        for line in warnings:
            self.assertRegex(line, "xl: warning: domain 'faulty' ended by a triple fault and is started again; see `xl dmesg`")
        self.machine.xl("destroy", "faulty")
        process.communicate(timeout=20)

    def test_preserve_keeps_the_domain(self):
        name = self.machine.create("crash", extra="shutdown", on_crash="preserve")
        state = harness.wait_until(lambda: next(
            line for line in self.machine.xl("list").stdout.splitlines() if line.startswith(name)
        ).split()[4].find("c") >= 0, "the domain is shown as crashed")
        self.assertTrue(state)

    def test_restart_boots_again(self):
        name = self.machine.create("crash", extra="reboot", on_reboot="restart")
        self.expect_restarts(name, 2, 20)

    def test_neighbours_do_not_notice(self):
        before = self.machine.create("idle")
        for how in ("shutdown", "triple", "hole", "stack"):
            self.expect_crash(how, on_reboot="destroy")
        self.assertIn(before, self.machine.domains())
        start = time.monotonic()
        self.expect_pass("hello")
        self.assertLess(time.monotonic() - start, 5)


if __name__ == "__main__":
    harness.main()
