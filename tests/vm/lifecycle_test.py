#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Create, list, pause, rename, destroy; in parallel; killed in the middle. What is left is counted each time."""
import json
import random
import time
import harness


class Lifecycle(harness.VmTest):
    def state(self, name):
        return next(line.split()[4] for line in self.machine.xl("list").stdout.splitlines() if line.startswith(name))

    def test_paused_until_unpaused(self):
        name = self.machine.create("idle", "-p")
        self.assertIn("p", self.state(name))
        self.machine.xl("unpause", name)
        self.assertNotIn("p", self.state(name))
        self.machine.xl("pause", name)
        self.assertIn("p", self.state(name))

    def test_names(self):
        name = self.machine.create("idle")
        number = self.machine.domain_id(name)
        self.assertEqual(self.machine.xl("domname", number).stdout.strip(), name)
        self.machine.xl("rename", name, "other")
        self.assertEqual(self.machine.domain_id("other"), number)
        self.expect_error(self.machine.xl("domid", name, check=False), name)
        self.assertIn("other", self.machine.xl("uptime", "other").stdout)
        arguments = self.machine.configuration(harness.GUESTS / "idle.elf", name="other")
        self.expect_error(self.machine.xl("create", *arguments, check=False), "other")

    def test_list_as_json(self):
        name = self.machine.create("idle", memory=16, vcpus=2)
        listed = json.loads(self.machine.xl("list", "-l").stdout)
        self.assertEqual(listed[0]["domid"], 0)
        mine = next(entry for entry in listed if entry["config"]["c_info"]["name"] == name)
        self.assertEqual(mine["config"]["c_info"]["type"], "pvh")
        self.assertEqual(mine["config"]["b_info"]["target_memkb"], 16 * 1024)

    def test_destroy_frees_at_once(self):
        before = self.machine.footprint()
        name = self.machine.create("idle", memory=512)
        self.machine.xl("destroy", name)
        self.machine.expect_footprint(before, 3)

    def test_parallel_creates(self):
        before = self.machine.footprint()
        processes = []
        for number in range(12):
            arguments = self.machine.configuration(harness.GUESTS / "idle.elf", name=f"parallel{number}")
            processes.append(self.machine.popen("create", *arguments))
        for process in processes:
            self.assertEqual(process.wait(timeout=60), 0, process.communicate()[1])
        numbers = {self.machine.domain_id(f"parallel{number}") for number in range(12)}
        self.assertEqual(len(numbers), 12)
        for number in range(12):
            self.machine.xl("destroy", f"parallel{number}")
        self.machine.expect_footprint(before)

    def test_parallel_creates_of_one_name(self):
        arguments = self.machine.configuration(harness.GUESTS / "idle.elf", name="only")
        processes = [self.machine.popen("create", *arguments) for _ in range(6)]
        for process in processes:
            process.communicate(timeout=60)
        self.assertEqual(sorted(process.returncode == 0 for process in processes), [False] * 5 + [True])
        self.assertEqual(self.machine.domains(), ["only"])

    def test_killed_xl_leaves_nothing(self):
        kernel = harness.KERNEL if harness.KERNEL.exists() else harness.GUESTS / "idle.elf"
        arguments = self.machine.configuration(kernel, name="victim", memory=256)
        for _ in range(2):  # the second time the decompressed kernel is at hand, as it is below
            start = time.monotonic()
            self.machine.xl("create", "-p", *arguments)
            duration = time.monotonic() - start
            self.machine.xl("destroy", "victim")
        before = self.machine.footprint()
        random.seed(1)
        interrupted = 0
        for _ in range(40):
            process = self.machine.popen("create", "-p", *arguments)
            time.sleep(random.uniform(0, duration))  # the moment to kill at is what varies
            process.kill()
            process.communicate()
            if process.returncode != 0:
                interrupted += 1
            # One that was finished before the kill is a domain like any other.
            time.sleep(0.01)
            self.machine.xl("destroy", "victim", check=False)
            harness.wait_until(lambda: not self.machine.domains(), "the half-made domain is gone", 5)
        self.assertGreater(interrupted, 10)
        self.machine.expect_footprint(before)

    def test_failed_creates_leave_nothing(self):
        self.machine.create("idle", name="taken")
        before = self.machine.footprint()
        for keys in ({"kernel": "/nowhere"}, {"name": "taken"}, {"memory": 1 << 30}, {"ramdisk": "/nowhere"},
                     {"memory": 1}, {"vcpus": 100000}):
            kernel = keys.pop("kernel", harness.GUESTS / "idle.elf")
            arguments = self.machine.configuration(kernel, **keys)
            self.expect_error(self.machine.xl("create", *arguments, check=False))
        self.machine.expect_footprint(before)

    def test_dry_run_touches_nothing(self):
        before = self.machine.footprint()
        arguments = self.machine.configuration(harness.GUESTS / "hello.elf")
        self.assertIn("start info", self.machine.xl("-v", "create", "-n", *arguments).stderr.lower())
        self.machine.expect_footprint(before)

    def test_the_same_guest_from_each_format(self):
        before = self.machine.footprint()
        config = self.machine.directory / "guest.cfg"
        config.write_text(f'name = "written"\ntype = "pvh"\nkernel = "{harness.GUESTS / "hello.elf"}"\nmemory = 8\n'
                          'extra = "one two=3 <&\\"\'>"\non_poweroff = "destroy"\n')
        shown = set()
        for form in "cfg", "yaml", "json", "xml":
            text = self.machine.xl("config-convert", "--to", form, config).stdout
            config = self.machine.directory / f"guest.{form}"
            config.write_text(text)
            shown.add(self.machine.xl("-N", "create", config).stdout)
            self.assertRegex(self.machine.xl("create", "-c", config).stdout,
                             r"""command line: one two=3 <&"'>\r?\n""")
        self.assertEqual(len(shown), 1, shown)
        self.machine.expect_footprint(before)

    def test_many_domains(self):
        before = self.machine.footprint()
        for number in range(60):
            self.machine.create("idle", memory=4, name=f"many{number}")
        self.assertEqual(len(self.machine.domains()), 60)
        start = time.monotonic()
        self.machine.xl("list")
        self.assertLess(time.monotonic() - start, 1)
        for number in range(60):
            self.machine.xl("destroy", f"many{number}")
        self.machine.expect_footprint(before)


if __name__ == "__main__":
    harness.main()
