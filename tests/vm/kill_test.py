#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""xld killed at any moment, also while domains are created, boot and go: domains run on, the next command's xld knows
all of them, half-made ones are gone, and no line of a console is lost or doubled."""
import os
import random
import re
import signal
import subprocess
import threading
import time
import harness

KILLS = int(os.environ.get("XL_TEST_KILLS", "100"))
LOST = 5  # exit status: xld did not answer


class Killer(threading.Thread):
    """Kills the machine's xld again and again, each time after another while, until it has done so often."""

    def __init__(self, machine, kills, seed):
        super().__init__()
        self.machine = machine
        self.kills = kills
        self.random = random.Random(seed)
        self.done = 0
        self.enough = False

    def stop(self):
        self.enough = True
        self.join()

    def run(self):
        while self.done < self.kills and not self.enough:
            for pid in self.machine.processes("xld"):
                # The whole life of a daemon: its start and adoption, the requests after it, its idle times.
                time.sleep(self.random.choice([0.002, 0.02, 0.1, 0.4]) * self.random.random())
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.done += 1


class Kill(harness.VmTest):
    def tearDown(self):
        super().tearDown()
        self.machine.xl("daemon", "stop", "--all")

    def numbers(self, text):
        return [int(number) for number in re.findall(r"^line (\d+)\r?$", text, re.MULTILINE)]

    def expect_whole_console(self, name, start=None):
        """Every line once, in order; the last may not be whole yet."""
        log = (self.machine.runtime / "console" / f"guest-{name}.log").read_bytes().decode(errors="replace")
        numbers = self.numbers(log[:log.rfind("\n") + 1])
        self.assertGreater(len(numbers), 1, f"{name}: {log[-300:]}")
        first = numbers[0] if start is None else start
        wrong = next((i for i, number in enumerate(numbers) if number != first + i), None)
        self.assertIsNone(wrong, wrong is not None and f"{name}: ...{numbers[max(0, wrong - 3):wrong + 3]}...")
        return numbers[-1]

    def kill(self):
        pid = self.machine.status()["pid"]
        os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: pid not in self.machine.processes("xld"), "xld is gone")

    def test_the_next_xld_knows_all(self):
        running = self.machine.create("counter", memory=8)
        paused = self.machine.create("idle", "-p", memory=8)
        self.machine.xl("rename", running, "renamed")
        running_id, paused_id = self.machine.domain_id("renamed"), self.machine.domain_id(paused)
        long_list = self.machine.xl("list", "-l").stdout
        qemu = self.machine.qemu()
        self.kill()
        self.assertEqual(sorted(self.machine.domains()), sorted(["renamed", paused]))
        self.assertEqual(self.machine.qemu(), qemu)
        self.assertEqual(self.machine.domain_id("renamed"), running_id)
        self.assertEqual(self.machine.xl("list", "-l").stdout, long_list)
        self.machine.xl("unpause", paused)
        self.machine.xl("destroy", str(paused_id))
        self.assertEqual(self.machine.domains(), ["renamed"])

    def test_stop_leaves_domains_and_stop_all_does_not(self):
        name = self.machine.create("counter", memory=8)
        qemu = self.machine.qemu()
        self.machine.xl("daemon", "stop")
        self.assertEqual(self.machine.processes("xld"), [])
        self.assertEqual(self.machine.qemu(), qemu)
        self.assertEqual(self.machine.domains(), [name])
        before = self.expect_whole_console(name, 1)
        harness.wait_until(lambda: self.expect_whole_console(name, 1) > before, "it prints on")
        self.machine.xl("daemon", "stop")
        self.machine.xl("daemon", "stop", "--all")
        self.assertEqual(self.machine.processes("qemu-system"), [])
        self.machine.create("idle", memory=8)
        self.machine.xl("daemon", "stop", "--all")
        self.assertEqual(self.machine.processes("qemu-system"), [])
        self.assertEqual(self.machine.domains(), [])

    def test_stop_without_domains_ends_the_hypervisor(self):
        self.machine.xl("info")
        self.machine.xl("daemon", "stop")
        self.assertEqual(self.machine.processes("qemu-system"), [])

    def test_what_happened_while_no_xld_ran_is_acted_on(self):
        before = self.machine.footprint()
        name = self.machine.create("timers", memory=8)
        again = self.machine.create("crash", memory=8, extra="reboot", on_reboot="restart")
        self.kill()
        harness.wait_until(lambda: name not in self.machine.domains(), "it has powered off and gone", 30)
        self.expect_restarts(again, 1, 20)
        self.machine.xl("destroy", again)
        self.machine.expect_footprint(before)

    def test_the_xenstore_stays(self):
        name = self.machine.create("counter", memory=8)
        home = f"/local/domain/{self.machine.domain_id(name)}"
        tool = ["xenstore-ls", "-f", "-p", home]
        tools = dict(os.environ, XENSTORED_PATH=str(self.machine.runtime / "xenstored/socket"))
        if not any(os.access(os.path.join(path, tool[0]), os.X_OK) for path in os.environ["PATH"].split(":")):
            self.skipTest("no xenstore-utils")
        before = subprocess.run(tool, env=tools, check=True, capture_output=True, timeout=20).stdout
        self.assertIn(b"/name", before)
        self.kill()
        self.machine.xl("list")
        self.assertEqual(subprocess.run(tool, env=tools, check=True, capture_output=True, timeout=20).stdout, before)

    def test_a_console_ends_with_a_clear_word_and_comes_again_whole(self):
        name = self.machine.create("counter", memory=8)
        console = self.machine.popen("console", name)
        for line in console.stdout:
            if line.startswith("line 20"):
                break
        self.kill()
        self.assertIn(f"`xl console {name}` shows it again", console.communicate(timeout=20)[1])
        self.assertEqual(console.returncode, LOST)
        console = self.machine.popen("console", name)
        seen = []
        for line in console.stdout:
            seen.append(line)
            if len(seen) > 100:
                break
        console.kill()
        console.communicate()
        self.assertEqual(self.numbers("".join(seen)), list(range(1, 102)))

    def one_life(self, number, kept):
        """Creates a domain; most are destroyed again. What xl said is remembered."""
        name = f"life-{number}"
        guest = ("hello", "counter", "idle")[number % 3]
        result = self.machine.xl("create", *self.machine.configuration(harness.GUESTS / f"{guest}.elf", name=name,
                                                                       memory=8), check=False)
        self.assertIn(result.returncode, (0, LOST, 1), result.stderr)
        if result.returncode != 0 or guest == "hello":
            return
        if number % 9 == 1:
            kept.append(name)
        else:
            gone = self.machine.xl("destroy", name, check=False)
            self.assertIn(gone.returncode, (0, LOST, 1), gone.stderr)

    def debian(self, number):
        return self.machine.xl("create", *self.machine.configuration(
            harness.KERNEL, memory=128, ramdisk=str(harness.INITRD), extra="console=hvc0", name=f"debian-{number}",
            on_poweroff="preserve"), check=False)

    def test_killed_a_hundred_times(self):
        before = self.machine.footprint()
        witness = self.machine.create("counter", memory=8)
        booting = [self.debian(number) for number in range(2)] if harness.KERNEL.exists() else []
        self.assertTrue(all(result.returncode == 0 for result in booting))
        killer = Killer(self.machine, KILLS, seed=1)
        killer.start()
        self.addCleanup(killer.stop)
        kept = [witness]
        number = 0
        while killer.is_alive():
            number += 1
            self.one_life(number, kept)
        killer.join()
        there = self.machine.domains()
        self.assertEqual(set(kept) - set(there), set(), "made, and gone")
        for name in kept:
            self.expect_whole_console(name, 1)
        for domain in range(len(booting)):
            log = self.machine.runtime / "console" / f"guest-debian-{domain}.log"
            harness.wait_until(lambda log=log: b"Hello from user space" in log.read_bytes(), "Debian is up", 90)
        for name in there:
            self.machine.xl("destroy", name, check=False)
        harness.wait_until(lambda: self.machine.domains() == [], "all are gone")
        self.machine.expect_footprint(before)
        self.assertEqual(list((self.machine.runtime / "domains").iterdir()), [])


if __name__ == "__main__":
    harness.main()
