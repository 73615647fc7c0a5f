#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our xl and the stock one on the same Xen: what the one does to a domain the other sees, whoever made it."""
import json
import os
import re
import signal
from pathlib import Path
import host
from host import ours, stock
from together import BOTH, USERDATA, Together, flags, node, state, talk, traces
from xenctrl import Xen


class MadeByEither(Together):
    def test_both_list_the_same(self):
        for maker, _ in BOTH:
            self.make(maker, f"by-{maker.__name__}", "-p")
        for name in ("by-ours", "by-stock"):
            row = state(ours, name)
            self.assertEqual(row, state(stock, name))
            self.assertEqual(row[1:], [str(host.SMALLEST_MIB), "1", "--p---"])
            self.assertEqual(ours("domid", name).stdout, stock("domid", name).stdout)
            self.assertEqual(ours("domname", row[0]).stdout, stock("domname", row[0]).stdout)

    def test_domain_0_is_listed_as_others_are(self):
        self.make(stock, "beside", "-p")
        for command in ("vm-list", "sched-credit2"):
            self.assertEqual(ours(command).stdout.split(), stock(command).stdout.split())
        mine, theirs = (re.sub(r" [0-9.]+ +(?=all / all)", " TIME ", xl("vcpu-list").stdout) for xl in (ours, stock))
        self.assertEqual(mine, theirs)
        ours("sched-credit2", "-d", "Domain-0", "-w", "512")
        self.assertRegex(stock("sched-credit2").stdout, r"Domain-0 +0 +512 +0")
        ours("sched-credit2", "-d", "0", "-w", "256")
        ours("vcpu-pin", "Domain-0", "0", "0", "-")
        self.assertRegex(stock("vcpu-list", "Domain-0").stdout, r" 0 / all")
        ours("vcpu-pin", "Domain-0", "0", "all", "-")

    def test_the_long_list_of_ours_is_the_stock_ones(self):
        for maker, other in BOTH:
            name = f"long-{maker.__name__}"
            self.make(maker, name, "-p", maxmem=64, vcpus=1, maxvcpus=2, extra="a=b", cpus="1", on_crash="preserve")
            mine, theirs = (json.loads(xl("list", "-l", name).stdout) for xl in (ours, stock))
            self.assertEqual(mine, theirs)
            maker("sched-credit2", "-d", name, "-w", "300")
            other("vcpu-set", name, "2", check=False)  # nobody is there who would do it
            other("mem-set", name, "48")
            other("rename", name, f"{name}-again")
            mine, theirs = (json.loads(xl("list", "-l", f"{name}-again").stdout) for xl in (ours, stock))
            self.assertEqual(mine, theirs)
            self.assertEqual(mine[0]["config"]["b_info"]["sched_params"]["weight"], 300)
            self.assertEqual(mine[0]["config"]["b_info"]["target_memkb"], 48 << 10)
        mine, theirs = (json.loads(xl("list", "-l").stdout) for xl in (ours, stock))
        theirs[0]["config"]["b_info"]["target_memkb"] += 1  # the stock one adds an unknown, -1, for video memory
        self.assertEqual(mine, theirs)

    def test_a_damaged_record_is_made_up_of_what_is_known(self):
        for maker, _ in BOTH:
            name = f"damaged-{maker.__name__}"
            domid = self.make(maker, name, "-p", on_crash="preserve")
            (before,) = json.loads(ours("list", "-l", name).stdout)
            (record,) = USERDATA.glob(f"userdata-d.{domid}.*.libxl-json")
            record.write_text("{")
            (after,) = json.loads(ours("list", "-l", name).stdout)
            if maker is stock:  # whose configuration we do not have
                before, after = ([each["domid"], each["config"]["c_info"]["name"], each["config"]["b_info"]["target_memkb"]]
                                 for each in (before, after))
            self.assertEqual(after, before)

    def test_pause_and_unpause(self):
        for maker, other in BOTH:
            name = f"pause-{maker.__name__}"
            self.make(maker, name, "-p")
            other("unpause", name)
            self.expect_log(name, "READY")
            for pauser, unpauser in BOTH:
                pauser("pause", name)
                self.assertEqual([flags(xl, name)[2] for xl in (ours, stock)], ["p", "p"])
                unpauser("unpause", name)
                self.assertEqual([flags(xl, name)[2] for xl in (ours, stock)], ["-", "-"])

    def test_destroy_by_the_other_leaves_nothing(self):
        before = traces()
        for maker, other in BOTH:
            name = f"gone-{maker.__name__}"
            self.make(maker, name)
            self.expect_log(name, "READY")
            other("destroy", name)
            self.expect_gone(name)
            self.expect_traces(before)
            self.make(maker, name, "-p")  # the name is free again
            maker("destroy", name)

    def test_names_are_taken_for_both(self):
        for maker, other in BOTH:
            name = f"taken-{maker.__name__}"
            domid = self.make(maker, name, "-p")
            refused = other("create", "-p", host.tiny(name), check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(name, refused.stderr)
            self.assertEqual(host.domains()[name], domid)

    def test_consoles_of_both(self):
        for maker, other in BOTH:
            name = f"console-{maker.__name__}"
            self.make(maker, name, guest="echo")
            for xl in (other, maker):
                talk(xl, name, f"hello {xl.__name__}", f"echo: hello {xl.__name__}")
            talk(other, name, "quit", "PASS")
            self.expect_gone(name)

    def test_weights_and_pins(self):
        for maker, other in BOTH:
            name = f"pin-{maker.__name__}"
            self.make(maker, name, "-p")
            other("sched-credit2", "-d", name, "-w", "512", "-c", "40")
            rows = [xl("sched-credit2", "-d", name).stdout.split()[-3:] for xl in (ours, stock)]
            self.assertEqual([row[1:] for row in rows], [["512", "40"]] * 2)
            other("vcpu-pin", name, "0", "1", "0-1")
            for xl in (ours, stock):
                self.assertRegex(xl("vcpu-list", name).stdout, r"\b1 / (all|0-1)")

    def test_memory_and_vcpus_as_the_guest_is_asked(self):
        for maker, other in BOTH:
            name = f"asked-{maker.__name__}"
            domid = self.make(maker, name, "-p", memory=64, maxvcpus=2)
            home = f"/local/domain/{domid}"
            other("mem-set", name, "48")
            self.assertEqual(node(f"{home}/memory/target"), str(48 << 10))
            other("mem-max", name, "80")
            self.assertEqual(node(f"{home}/memory/static-max"), str(80 << 10))
            other("unpause", name)
            self.expect_log(name, "READY")
            stock("vcpu-set", name, "2")
            self.assertEqual(node(f"{home}/cpu/1/availability"), "online")
            ours("vcpu-set", name, "1", check=False)
            self.assertEqual(node(f"{home}/cpu/1/availability"), "offline")

    def test_renames_are_seen_by_the_other(self):
        for maker, other in BOTH:
            first, second, third = (f"{word}-{maker.__name__}" for word in ("first", "second", "third"))
            domid = str(self.make(maker, first, "-p"))
            for xl, old, new in ((other, first, second), (maker, second, third)):
                xl("rename", old, new)
                for tool in (ours, stock):
                    host.wait_until(lambda: state(tool, new), f"{tool.__name__} has heard of {new}")
                    self.assertEqual(state(tool, new)[0], domid)
                    self.assertIsNone(state(tool, old))

    def test_our_xld_leaves_the_end_of_others_to_them(self):
        before = traces()
        stock("create", host.tiny("theirs", guest="crash", extra="reboot", on_reboot="preserve"))
        self.expect_log("theirs", "the last words")
        host.wait_until(lambda: flags(stock, "theirs")[3:4] == "s", "it has shut down and is kept")
        self.assertEqual(flags(ours, "theirs")[3], "s")
        ours("destroy", "theirs")
        self.expect_gone("theirs")
        self.expect_traces(before)


class DaemonKilled(Together):
    def test_the_history_is_of_the_domain_alone(self):
        self.make(ours, "twice", guest="hello", on_poweroff="preserve")
        self.expect_log("twice", "hello from a")
        ours("destroy", "twice")
        self.expect_gone("twice")
        self.make(ours, "twice")
        ours("wait", "twice", "--for=console=READY", "--timeout=20")
        os.kill(json.loads(ours("daemon", "status", "--json").stdout)["pid"], signal.SIGKILL)
        ours("wait", "twice", "--for=console=READY", "--timeout=20")
        found = ours("wait", "twice", "--for=console=hello from a", "--timeout=1", check=False)
        self.assertNotEqual(found.returncode, 0, "the first one's output counts as the second's")
        ours("destroy", "twice")


class DestroyedByOthers(Together):
    def test_what_is_left_goes_with_it(self):
        """By Xen's library, without a toolstack. xenconsoled has its ring mapped, so that it is dying for a while; ours is not asked
        until all has gone, as it looks for itself when it is."""
        before, xen = traces(), Xen()
        for number in range(4):
            xen.destroy(self.make(ours, f"raw{number}", "-p"))
            self.expect_traces(before)
            self.expect_gone(f"raw{number}")


class Priority(Together):
    def test_every_thread_of_xld_goes_before_the_hosts_daemons(self):
        pid = json.loads(ours("daemon", "status", "--json").stdout)["pid"]
        for thread in os.listdir(f"/proc/{pid}/task"):
            self.assertEqual(os.getpriority(os.PRIO_PROCESS, int(thread)), -10)


class Failures(Together):
    def refused(self, cause, **keys):
        before, known = traces(), host.domains()
        done = ours("create", "-p", host.tiny("broken", **keys), check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(re.findall("error:", done.stderr)), 1, done.stderr)
        self.assertRegex(done.stderr, cause)
        self.assertEqual(host.domains(), known)
        self.assertEqual(traces(), before)

    def test_no_memory(self):
        self.refused(r"the domain needs \d+ MiB of memory, and \d+ MiB are free", memory=100000)

    def test_bad_kernel(self):
        self.refused("/etc/passwd", kernel=Path("/etc/passwd"))

    def test_too_many_vcpus(self):
        self.refused("from 1 to", vcpus=200)


if __name__ == "__main__":
    host.main()
