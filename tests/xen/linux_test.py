#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A running Debian kernel on Xen, made by one toolstack: both steer it, and its console and both tools say that it obeyed."""
import re
import time
from pathlib import Path
import host
import initramfs
from host import ours, stock
from together import Together, flags, state, talk

# Says what it has whenever that changes, puts a new CPU to use as a distribution's udev rule does, and answers. By what the
# shell has built in, as a process is dear on an emulated CPU.
INIT = """ln -s /bin /sbin
echo "ready"
cpus=/sys/devices/system/cpu
while :; do
  read -r -t 1 line && echo "heard $line"
  read -r online <$cpus/online
  read -r kib </sys/devices/system/xen_memory/xen_memory0/info/current_kb
  [ "$before" = "$online $kib" ] || echo "has cpus $online, $((kib / 1024)) MiB"
  before="$online $kib"
  [ ! -e $cpus/cpu1/online ] || [ $online = 0-1 ] || echo 1 >$cpus/cpu1/online
done 2>/dev/null
"""
MEMORY = 192
POWEROFF = "exec /bin/busybox poweroff -f\n"
REBOOT = "exec /bin/busybox reboot -f\n"


class Linux(Together):
    """Both boot at the same time, as that is what takes long."""

    @classmethod
    def setUpClass(cls):
        for maker, name in ((ours, "ours-linux"), (stock, "stock-linux")):
            initrd = initramfs.write(Path(f"/tmp/{name}.img"), INIT, poweroff=POWEROFF, reboot=REBOOT)
            maker("create", host.configuration(name, kernel=host.KERNEL, ramdisk=initrd, memory=MEMORY, vcpus=2,
                                               extra="console=hvc0 quiet loglevel=5"))

    @classmethod
    def tearDownClass(cls):
        for name in host.domains():
            stock("destroy", name, check=False)

    def begin(self, name):
        self.name, self.read_until = name, 0
        self.expect("ready", 120)
        self.expect_has(2, MEMORY)

    def expect(self, pattern, seconds=60):
        """What matches, behind what was expected before."""
        end = time.monotonic() + seconds
        while not (found := re.compile(pattern).search(host.console_log(self.name), self.read_until)):
            self.assertLess(time.monotonic(), end, f"'{pattern}' from {self.name}: {host.console_log(self.name)[-1500:]}")
            time.sleep(0.2)
        self.read_until = found.end()

    def expect_has(self, cpus, memory):
        """Of its memory the guest counts a MiB more or less as its own."""
        self.expect(rf"has cpus {'0-1' if cpus == 2 else '0'}, ({memory - 1}|{memory}) MiB")

    def expect_listed(self, cpus, memory):
        for tool in (ours, stock):
            self.assertEqual(state(tool, self.name)[1:3], [str(memory), str(cpus)])

    def pause(self, xl):
        xl("pause", self.name)
        self.assertEqual([flags(tool, self.name)[2] for tool in (ours, stock)], ["p", "p"])
        xl("unpause", self.name)

    def talk(self, xl):
        talk(xl, self.name, f"hello {xl.__name__}", f"heard hello {xl.__name__}")

    def test_one_of_ours(self):
        self.begin("ours-linux")
        ours("vcpu-set", self.name, "1")
        self.expect_has(1, MEMORY)
        ours("vcpu-set", self.name, "2")
        self.expect_has(2, MEMORY)
        ours("mem-set", self.name, MEMORY - 32)
        self.expect_has(2, MEMORY - 32)
        ours("mem-set", self.name, MEMORY)  # what it is restarted with
        self.expect_has(2, MEMORY)
        self.pin_and_weigh()
        ours("sysrq", self.name, "h")
        self.expect("sysrq: HELP")
        ours("trigger", self.name, "nmi", "0")
        self.expect("NMI")
        self.pause(ours)
        self.by_the_stock_one()
        self.expect_told()
        self.ends()

    def pin_and_weigh(self):
        ours("vcpu-pin", self.name, "all", "1", "0-1")
        ours("sched-credit2", "-d", self.name, "-w", "300", "-c", "150")
        for tool in (ours, stock):
            self.assertEqual(len(re.findall(r"\b1 / (?:all|0-1)$", tool("vcpu-list", self.name).stdout, re.M)), 2)
            self.assertEqual(tool("sched-credit2", "-d", self.name).stdout.split()[-2:], ["300", "150"])
        ours("vcpu-pin", self.name, "all", "all", "all")
        ours("sched-credit2", "-d", self.name, "-w", "256", "-c", "0")

    def by_the_stock_one(self):
        stock("vcpu-set", self.name, "1")
        self.expect_has(1, MEMORY)
        stock("mem-set", self.name, MEMORY - 16)
        self.expect_has(1, MEMORY - 16)
        self.expect_listed(1, MEMORY - 16)
        self.talk(stock)

    def expect_told(self):
        """What ours did to it; and it counts what the guest used, whoever asked."""
        told = ours("events", self.name).stdout
        for kind in ("created", "unpaused", "booted", "vcpus", "memory", "trigger", "paused"):
            self.assertIn(kind, told)
        used = re.search(rf'^xl_domain_cpu_seconds_total{{.*name="{self.name}".*}} ([0-9.e+]+)$', ours("metrics").stdout, re.M)
        self.assertGreater(float(used[1]), 1.0)

    def ends(self):
        first = host.domains()[self.name]
        ours("reboot", "-w", self.name, timeout=120)
        self.expect("ready", 120)
        self.assertNotEqual(host.domains()[self.name], first)
        stock("shutdown", "-w", self.name, timeout=120)
        self.expect_gone(self.name)
        self.assertRegex(ours("events", self.name).stdout,
                         r"(?s)reason=reboot action=restart.*created.*booted.*reason=poweroff action=destroy")

    def test_one_of_the_stock_xl(self):
        self.begin("stock-linux")
        ours("vcpu-set", self.name, "1")
        self.expect_has(1, MEMORY)
        ours("mem-set", self.name, MEMORY - 32)
        self.expect_has(1, MEMORY - 32)
        self.expect_listed(1, MEMORY - 32)
        self.pause(ours)
        self.talk(ours)
        ours("shutdown", "-w", self.name, timeout=120)
        self.expect_gone(self.name)


if __name__ == "__main__":
    host.main()
