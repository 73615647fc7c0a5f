#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Domain-0 by both toolstacks: what the stock xl does to its memory, vcpus and shares ours does too, with the same traces."""
import json
import re
import subprocess
from pathlib import Path
import host
from host import ours, stock
from together import BOTH, Together, node

HOME = "/local/domain/0"
CPU = Path("/sys/devices/system/cpu")
# Its life is the host's. To some of these the stock xl says nothing, or ends the host.
REFUSED = ("pause 0", "unpause 0", "destroy 0", "destroy -f Domain-0", "dump-core 0 /tmp/core-of-zero", "rename 0 another",
           "shutdown 0", "reboot -F Domain-0", "trigger 0 nmi", "console 0")


def current():
    """KiB, as its kernel's balloon driver counts."""
    return int(Path("/sys/devices/system/xen_memory/xen_memory0/info/current_kb").read_text())


def total():
    return int(re.search(r"MemTotal: +(\d+)", Path("/proc/meminfo").read_text())[1])


def facts():
    """What anybody can see of it: nodes with their permissions, its size, the hypervisor's cap."""
    (zero,) = json.loads(ours("list", "--json", "0").stdout)
    tree = [line for place in ("memory", "cpu") for line in
            host.run("xenstore-ls", "-f", "-p", f"{HOME}/{place}", check=False).stdout.splitlines()]
    listed = stock("list", "0").stdout.split()[-4:-2]
    return {"tree": tree, "vm": host.run("xenstore-ls", "-f", "-p", "/vm", check=False).stdout, "listed": listed, "kib": current(),
            "total": total(), "cap": zero["max_memory_kib"], "vcpus": zero["vcpus_online"]}


class DomainZero(Together):
    def setUp(self):
        super().setUp()
        stock("mem-set", "0", f"{current()}k")  # from here on it has its nodes
        stock("vcpu-set", "0", str(len(list(CPU.glob("cpu[0-9]*")))), check=False)
        self.first = current()
        self.most = int(node(f"{HOME}/memory/static-max"))
        self.addCleanup(self.restore)

    def restore(self):
        stock("mem-max", "0", f"{self.most}k")
        self.ask(stock, self.first)

    def ask(self, xl, kib):
        xl("mem-set", "Domain-0", f"{kib}k")
        host.wait_until(lambda: current() == kib, f"its balloon driver has gone to {kib} KiB for {xl.__name__}", 30)

    def both(self, *arguments):
        """The exit status of both, which has to be the same, as has what they leave."""
        done = [(xl(*arguments, check=False), facts()) for xl in (stock, ours)]
        (theirs, after_theirs), (mine, after_mine) = done
        self.assertEqual(mine.returncode, theirs.returncode, f"{arguments}: {mine.stderr}{theirs.stderr}")
        self.assertEqual(after_mine, after_theirs, arguments)
        return mine

    def refused_by_both(self, *arguments, words):
        before = facts()
        done = self.both(*arguments)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rf"\Axl: error: [^\n]*{words}[^\n]*\n\Z")
        self.assertEqual(facts(), before)

    def test_memory_goes_and_comes_back(self):
        less, seen = self.first - (128 << 10), []
        for xl, _ in BOTH:
            before = total()
            self.ask(xl, less)
            self.assertLess(total(), before - (100 << 10))
            seen.append(facts())
            self.ask(xl, self.first)
            self.assertEqual(total(), before)
            seen.append(facts())
        self.assertEqual(seen[:2], seen[2:])
        self.assertEqual(seen[0]["cap"], less + 1024)
        self.assertEqual(ours("mem-set", "-w", "0", f"{less}k").stdout, f"{less >> 10} MiB\n")

    def test_its_maximum(self):
        higher = self.first + (64 << 10)
        self.assertEqual(self.both("mem-max", "0", f"{higher}k").returncode, 0)
        self.assertEqual((facts()["cap"], node(f"{HOME}/memory/static-max")), (higher + 1024, str(higher)))
        self.refused_by_both("mem-max", "0", f"{self.first - 1024}k", words="xl mem-set it to that or less first")
        self.refused_by_both("mem-set", "0", f"{higher + 1024}k", words="xl mem-max it to that or more first")
        self.refused_by_both("mem-set", "0", "127", words="128 MiB or more")

    def test_its_vcpus(self):
        most = len(list(CPU.glob("cpu[0-9]*")))
        self.assertEqual(self.both("vcpu-set", "0", str(most)).returncode, 0)
        self.assertEqual(node(f"{HOME}/cpu/0/availability"), "online")
        self.refused_by_both("vcpu-set", "Domain-0", "0", words="keeps at least one vcpu")
        self.refused_by_both("vcpu-set", "-i", "Domain-0", str(most + 1), words="dom0_max_vcpus")
        if most > 1:  # ./devtool xen-testbed --dom0-cpus 2
            ours("vcpu-set", "0", "1")
            self.assertEqual((node(f"{HOME}/cpu/1/availability"), (CPU / "online").read_text()), ("offline", "0\n"))
            with subprocess.Popen([host.XL, "vcpu-set", "0", "2"]) as plugs:
                host.wait_until(lambda: node(f"{HOME}/cpu/1/availability") == "online", "it is told of its second vcpu")
                # What a distribution's udev rule does, when the kernel is ready for it.
                host.wait_until(lambda: host.run("sh", "-c", f"echo 1 >{CPU}/cpu1/online", check=False).returncode == 0, "it is up")
                self.assertEqual(plugs.wait(40), 0)

    def test_pins_and_shares(self):
        for xl in (ours, stock):
            xl("vcpu-pin", "0", "all", "1")
            self.assertRegex(self.shown("vcpu-list", "0"), r" 1 / all")
            xl("sched-credit2", "-d", "Domain-0", "-w", "300")
            self.assertRegex(self.shown("sched-credit2", "-d", "0"), r" 300 +0$")
            xl("vcpu-pin", "Domain-0", "all", "all")
            xl("sched-credit2", "-d", "0", "-w", "256")
        self.both("vcpu-pin", "0", "77", "all")

    def shown(self, *arguments):
        """By both the same, but for times that go on."""
        mine, theirs = (re.sub(r"\b\d+:\d\d:\d\d\b|\b\d+\.\d\b", "T", xl(*arguments).stdout) for xl in (ours, stock))
        self.assertEqual(mine, theirs, arguments)
        return mine.strip()

    def test_what_is_told_of_it(self):
        for line in ("domname 0", "domid Domain-0", "list 0", "list Domain-0", "uptime 0", "vcpu-list 0", "sched-credit2 -d 0"):
            self.shown(*line.split())

    def test_its_sysrq_is_taken(self):
        for xl in (ours, stock):
            host.run("dmesg", "-C")
            xl("sysrq", "0", "h")
            host.wait_until(lambda: "sysrq: HELP" in host.run("dmesg").stdout, f"its kernel has heard {xl.__name__}")

    def test_its_life_is_the_hosts(self):
        before = facts()
        for line in REFUSED:
            done = ours(*line.split(), check=False)
            self.assertEqual(done.returncode, 1, line)
            self.assertRegex(done.stderr, r"\Axl: error: Domain-0 is the host[^\n]*\n\Z", line)
        self.assertFalse(Path("/tmp/core-of-zero").exists())
        self.assertEqual(facts(), before)
        self.assertRegex(stock("list", "0").stdout, r"Domain-0 .* r-----")


if __name__ == "__main__":
    host.main()
