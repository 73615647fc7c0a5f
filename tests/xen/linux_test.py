#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A running Debian kernel on Xen, made by one toolstack: both steer it, and its console and both tools say that it obeyed."""
import re
from pathlib import Path
import host
import initramfs
from host import ours, stock
from together import BOTH, Together, flags, node, state, talk

# Says what it has whenever that changes, puts a new CPU to use as a distribution's udev rule does, and answers.
INIT = """ln -s /bin /sbin
echo "ready"
while sleep 0.5; do
  now="$(nproc) cpus $(($(cat /sys/devices/system/xen_memory/xen_memory0/info/current_kb) / 1024)) MiB"
  [ "$now" = "$before" ] || echo "has $now"
  before=$now
  [ -e /sys/devices/system/cpu/cpu1/online ] && echo 1 >/sys/devices/system/cpu/cpu1/online
done 2>/dev/null &
while read -r line; do echo "heard $line"; done
"""
MEMORY = 192
POWEROFF = "exec /bin/busybox poweroff -f\n"
REBOOT = "exec /bin/busybox reboot -f\n"


class Linux(Together):
    def boot(self, maker, name):
        initrd = initramfs.write(Path(f"/tmp/{name}.img"), INIT, poweroff=POWEROFF, reboot=REBOOT)
        maker("create", host.configuration(name, kernel=host.KERNEL, ramdisk=initrd, memory=MEMORY, vcpus=2,
                                           extra="console=hvc0 quiet loglevel=5"))
        self.log_start = 0
        self.expect(name, "ready", 120)
        self.expect_has(name, 2, MEMORY)

    def expect(self, name, text, seconds=60):
        """The text, after what was expected before."""
        found = host.wait_until(lambda: re.compile(text).search(host.console_log(name), self.log_start),
                                f"'{text}' from {name}", seconds)
        self.log_start = found.end()

    def expect_has(self, name, cpus, memory):
        """Of its memory the guest counts a MiB more or less as its own."""
        self.expect(name, rf"has {cpus} cpus ({memory - 1}|{memory}) MiB")

    def steer(self, xl, name):
        """All that is asked of a running guest and leaves it running."""
        domid = host.domains()[name]
        xl("vcpu-set", name, "1")
        self.expect_has(name, 1, MEMORY)
        self.assertEqual(node(f"/local/domain/{domid}/cpu/1/availability"), "offline")
        self.assertEqual([state(tool, name)[2] for tool in (ours, stock)], ["1", "1"])
        xl("vcpu-set", name, "2")
        self.expect_has(name, 2, MEMORY)
        xl("mem-set", name, MEMORY - 32)
        self.expect_has(name, 2, MEMORY - 32)
        host.wait_until(lambda: [state(tool, name)[1] for tool in (ours, stock)] == [str(MEMORY - 32)] * 2, "both list it")
        xl("mem-set", name, MEMORY)
        self.expect_has(name, 2, MEMORY)
        xl("vcpu-pin", name, "all", "1", "0-1")
        xl("sched-credit2", "-d", name, "-w", "300", "-c", "150")
        for tool in (ours, stock):
            self.assertEqual(len(re.findall(r"\b1 / (?:all|0-1)$", tool("vcpu-list", name).stdout, re.M)), 2)
            self.assertEqual(tool("sched-credit2", "-d", name).stdout.split()[-2:], ["300", "150"])
        xl("vcpu-pin", name, "all", "all", "all")
        xl("sched-credit2", "-d", name, "-w", "256", "-c", "0")
        xl("sysrq", name, "h")
        self.expect(name, "sysrq: HELP")
        xl("trigger", name, "nmi", "0")
        self.expect(name, "NMI")
        xl("pause", name)
        self.assertEqual([flags(tool, name)[2] for tool in (ours, stock)], ["p", "p"])
        xl("unpause", name)
        talk(xl, name, f"hello {xl.__name__}", f"heard hello {xl.__name__}")

    def test_one_of_ours(self):
        self.boot(ours, "ours-linux")
        for xl, _ in BOTH:
            self.steer(xl, "ours-linux")
        self.expect_events("ours-linux")
        first = host.domains()["ours-linux"]
        ours("reboot", "-w", "ours-linux", timeout=120)
        self.expect("ours-linux", "ready", 120)
        self.assertNotEqual(host.domains()["ours-linux"], first)
        stock("shutdown", "-w", "ours-linux", timeout=120)
        self.expect_gone("ours-linux")
        self.assertRegex(ours("events", "ours-linux").stdout, r"(?s)reason=reboot action=restart.*created.*booted.*reason=poweroff action=destroy")

    def expect_events(self, name):
        """What ours did to it; and it counts what the guest used, whoever asked."""
        told = ours("events", name).stdout
        for kind in ("created", "unpaused", "booted", "vcpus", "memory", "trigger", "paused"):
            self.assertIn(kind, told)
        metrics = ours("metrics").stdout
        used = re.search(rf'^xl_domain_cpu_seconds_total{{.*name="{name}".*}} ([0-9.e+]+)$', metrics, re.M)
        self.assertGreater(float(used[1]), 1.0)

    def test_one_of_the_stock_xl(self):
        self.boot(stock, "stock-linux")
        self.steer(ours, "stock-linux")
        ours("shutdown", "-w", "stock-linux", timeout=120)
        self.expect_gone("stock-linux")


if __name__ == "__main__":
    host.main()
