#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wait, events, metrics and top with domains that really run, and with an xld that is killed meanwhile."""
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

import harness

sys.path.append(str(Path(__file__).parents[1]))
import exposition  # noqa: E402


class Observe(harness.VmTest):
    def metrics(self):
        return exposition.families(self.machine.xl("metrics").stdout)

    def value(self, families, family, **labels):
        values = [sample.value for sample in families[family].samples
                  if labels.items() <= sample.labels.items() and not sample.name.endswith(("_created",))]
        self.assertEqual(len(values), 1, f"{family} {labels}: {families[family].samples}")
        return values[0]

    def waiting(self, *words):
        """Starts a command that follows events, and returns when it does."""
        def streams():
            return self.value(self.metrics(), "xl_api_streams", path="/v1/events")
        before = streams()
        process = self.machine.popen(*words)
        harness.wait_until(lambda: streams() > before, "it follows the events")
        return process

    def finish(self, process, status=0, timeout=60):
        output, errors = process.communicate(timeout=timeout)
        self.assertEqual(process.returncode, status, f"{output[-500:]}\n{errors}")
        return output

    def kill_daemon(self):
        pid = self.machine.status()["pid"]
        process = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(select.select([process], [], [], 10)[0], "xld is dead")
        os.close(process)

    def test_tiny_guests(self):
        domain = self.machine.create("hello", "-p", on_poweroff="preserve")
        for_text = self.waiting("wait", domain, r"--for=console=PASS \w+", "--timeout=30")
        for_end = self.waiting("wait", domain, "--for=shutdown", "--timeout=30")
        self.machine.xl("unpause", domain)
        self.finish(for_text)
        self.finish(for_end)
        self.machine.xl("wait", domain, "--for=console=^hello from a", "-t", "0")

    def test_waits_and_events_survive_the_daemon(self):
        domain = self.machine.create("idle", "-p")
        for_running = self.waiting("wait", domain, "--for=running", "--timeout=60")
        for_end = self.waiting("wait", domain, "--for=shutdown", "--timeout=60")
        for_text = self.waiting("wait", domain, "--for=console=.", "--timeout=60")
        follow = self.waiting("events", "--follow", "--json")

        def have_come_back():
            for process in (for_running, for_end, for_text, follow):
                self.assertIsNone(process.poll(), f"{process.args}: {process.stderr.read() if process.poll() is not None else ''}")
            return self.value(self.metrics(), "xl_api_streams", path="/v1/events") >= 4
        for _ in range(2):
            self.kill_daemon()
            harness.wait_until(have_come_back, "all have come back")
        self.machine.xl("unpause", domain)
        self.finish(for_running)
        self.finish(for_text)
        self.machine.xl("destroy", domain)
        self.finish(for_end, 6)
        self.machine.xl("daemon", "stop", "--all")
        events = [json.loads(line) for line in self.finish(follow).splitlines()]
        self.assertEqual([event["event"] for event in events], ["adopted", "adopted", "unpaused", "ended"])
        numbers = [event["seq"] for event in events]
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_metrics_of_a_domain_that_works(self):
        domain = self.machine.create("events", on_poweroff="preserve")
        self.machine.xl("wait", domain, "--for=shutdown", "--timeout=60")
        families = self.metrics()
        self.assertEqual(self.value(families, "xl_domain_state", name=domain, state="shutdown"), 1)
        self.assertEqual(self.value(families, "xl_domain_state", name=domain, state="running"), 0)
        self.assertGreater(self.value(families, "xl_domain_cpu_seconds", name=domain), 0)
        self.assertGreater(self.value(families, "xl_domain_hypercalls", name=domain, hypercall="event_channel_op"), 3)
        self.assertGreater(self.value(families, "xl_domain_exits", name=domain, cause="vmmcall"), 3)
        self.assertGreater(self.value(families, "xl_domain_events", name=domain, direction="received"), 0)
        self.assertEqual(self.value(families, "xl_hypervisor_up"), 1)
        with open(f"/proc/{self.machine.qemu()}/statm") as statm:
            resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")
        self.assertAlmostEqual(self.value(families, "xl_hypervisor_resident_memory_bytes"), resident, delta=64 << 20)
        look = json.loads(self.machine.xl("top", "--json", "-i", "1").stdout)
        self.assertIn(domain, [entry["name"] for entry in look["domains"]])

    def test_metrics_cost_the_same_for_each_domain(self):
        """The exposition of twenty domains takes no more than that of one and what nineteen add."""
        def cost():
            times = []
            for _ in range(5):
                start = time.monotonic()
                self.metrics()
                times.append(time.monotonic() - start)
            return min(times)
        self.machine.create("idle")
        one = cost()
        for _ in range(19):
            self.machine.create("idle", memory=2)
        self.assertLess(cost(), one + 20 * 0.005)


class ObserveLinux(harness.VmTest):
    def test_booted_and_rebooted(self):
        if not harness.KERNEL.exists() or not harness.INITRD.exists():
            self.skipTest("no Debian kernel: ./devtool test fetches it")
        arguments = self.machine.configuration(harness.KERNEL, memory=256, ramdisk=str(harness.INITRD), name="debian",
                                               extra="console=hvc0", on_poweroff="preserve")
        self.machine.xl("create", *arguments)
        self.machine.xl("wait", "debian", "--for=booted", "--timeout=60")
        printed = self.machine.xl("wait", "debian", "--for=console=Linux version [0-9.]+", "--timeout=0").returncode
        self.assertEqual(printed, 0)
        self.machine.xl("wait", "debian", "--for=shutdown", "--timeout=60")
        kinds = [json.loads(line)["event"] for line in self.machine.xl("events", "--json", "debian").stdout.splitlines()]
        self.assertEqual([kind for kind in kinds if kind in ("created", "booted", "shutdown")],
                         ["created", "booted", "shutdown"])


if __name__ == "__main__":
    harness.main()
