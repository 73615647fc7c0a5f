#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's cloud kernel boots to the script in its initramfs and powers off."""
import re
import time
import harness


class Linux(harness.VmTest):
    @classmethod
    def setUpClass(cls):
        if not harness.KERNEL.exists() or not harness.INITRD.exists():
            raise harness.unittest.SkipTest("no Debian kernel: ./devtool test fetches it")
        super().setUpClass()

    def boot(self, timeout=120, **keys):
        keys = {"memory": 256, "ramdisk": str(harness.INITRD), "extra": "console=hvc0"} | keys
        result = self.machine.xl("create", "-c", *self.machine.configuration(harness.KERNEL, **keys), check=False,
                                 timeout=timeout)
        self.assertIn("Hello from user space", result.stdout,
                      f"{result.stdout[-2000:]}\n{result.stderr[-500:]}\n{self.machine.hypervisor_log()[-2000:]}")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotRegex(result.stdout, r"(?i)call trace|kernel panic|BUG:|unchecked MSR access")
        return result.stdout

    def test_boots_and_powers_off(self):
        before = self.machine.footprint()
        output = self.boot()
        self.assertRegex(output, r"hypervisor\s+xen 4\.17")
        self.assertRegex(output, r"domain\s+PVH")
        self.assertRegex(output, r"cpus\s+1\b")
        self.assertRegex(output, r"clock\s+(xen|tsc)")
        self.assertRegex(output, r"reboot: (Power down|System halted)")  # no ACPI S5 in a PVH domain
        self.machine.expect_footprint(before)

    def test_two_cpus(self):
        self.assertRegex(self.boot(vcpus=2), r"cpus\s+2\b")

    def test_four_cpus_on_fewer(self):
        self.assertRegex(self.boot(vcpus=4), r"cpus\s+4\b")

    def test_memory_above_4_gib(self):
        memory = int(re.search(r"memory\s+(\d+) MiB", self.boot(memory=4500))[1])
        self.assertGreater(memory, 4200)

    def test_without_acpi(self):
        """To user space only: without a MADT this kernel has no local APIC to end its sleeps, on Xen neither."""
        arguments = self.machine.configuration(harness.KERNEL, memory=256, ramdisk=str(harness.INITRD), name="bare",
                                               extra="console=hvc0", acpi=0)
        process = self.machine.popen("create", "-c", *arguments)
        for line in process.stdout:
            if "Hello from user space" in line:
                break
        else:
            self.fail(process.stderr.read())
        self.machine.xl("destroy", "bare")
        process.communicate(timeout=20)

    def test_reboot_command(self):
        arguments = self.machine.configuration(harness.KERNEL, memory=256, ramdisk=str(harness.INITRD), name="again",
                                               extra="console=hvc0 demo=reboot", on_reboot="restart")
        self.machine.xl("create", *arguments)
        self.expect_restarts("again", 1, 60)

    def test_two_at_once(self):
        names = []
        for number in range(2):
            arguments = self.machine.configuration(harness.KERNEL, memory=192, ramdisk=str(harness.INITRD),
                                                   name=f"both{number}", extra="console=hvc0")
            names.append(self.machine.popen("create", "-c", *arguments))
        for process in names:
            output, errors = process.communicate(timeout=120)
            self.assertIn("Hello from user space", output, errors)
            self.assertEqual(process.returncode, 0, errors)


if __name__ == "__main__":
    harness.main()
