#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many domains: a thousand at once, and ten thousand one after the other (a thousand, unless $XL_SOAK is set)."""
import os

import harness
from api_client import Api, create_idle, resident_kib

DOMAINS = 1000
CYCLES = 10_000 if os.environ.get("XL_SOAK") else 1000


class Scale(harness.VmTest):
    def setUp(self):
        self.machine.xl("info")
        self.xld = self.machine.status()["pid"]
        self.api = Api(self.machine.status()["socket"])
        self.addCleanup(self.api.close)

    def footprint(self):
        """What must not grow: descriptors, frames, domains; and resident memory in KiB."""
        counters = self.api.counters()
        # The least of a few counts: the connection of the command before may still be closing.
        held = {"fds": min(len(os.listdir(f"/proc/{self.xld}/fd")) for _ in range(20)),
                "fds of the hypervisor": len(os.listdir(f"/proc/{self.machine.qemu()}/fd")),
                "domains": counters["domains"],
                # The hypervisor keeps what its tables once needed: of its own and of free frames, the sum.
                "frames": sum(counters["frames." + kind] for kind in ("clean", "dirty", "offered", "dying", "own"))}
        return held, resident_kib(self.xld)

    def settled(self):
        """The last teardown, which goes on by itself, is over."""
        harness.wait_until(lambda: self.api.counters()["frames.dying"] == 0, "frames are torn down")
        self.api.ask("GET", "/v1/host")  # answers between two steps of the teardown: the last is over
        return self.footprint()

    def expect_no_more(self, after, before):
        self.assertLessEqual(after.pop("fds"), before.pop("fds"))
        self.assertEqual(after, before)

    def cycles(self, count):
        for number in range(count):
            create_idle(self.machine, self.api, "cycle")
            self.api.ask("DELETE", "/v1/domains/cycle")

    def test_many_lives_one_after_the_other_leave_nothing(self):
        self.cycles(300)  # what is made once and kept: tables, threads, pools
        before, resident_before = self.settled()
        self.cycles(CYCLES)
        after, resident_after = self.settled()
        own = self.api.counters()["frames.own"]
        print(f"# {CYCLES} cycles: xld {resident_before} KiB before, {resident_after} after; {own} frames of tables; {after}")
        self.expect_no_more(after, before)
        self.assertLess(resident_after - resident_before, 1024, "KiB of xld's memory")
        self.assertLess(own, 100, "frames: ids ascend to 32751, and 512 of them take one")

    def test_thousand_domains_at_once(self):
        before, resident_before = self.settled()
        for number in range(DOMAINS):
            create_idle(self.machine, self.api, f"idle{number}")
        resident = (resident_kib(self.xld) - resident_before) / DOMAINS
        rows = [row for row in self.api.ask("GET", "/v1/domains")["domains"] if row["domid"] != 0]
        overhead = sum(row["overhead_bytes"] for row in rows) / len(rows) / 1024
        print(f"# {DOMAINS} domains: {resident:.1f} KiB of xld and {overhead:.1f} KiB of the hypervisor for each")
        self.assertEqual({row["name"] for row in rows}, {f"idle{number}" for number in range(DOMAINS)})
        self.assertLessEqual(resident, 64, "KiB of xld for each domain")
        self.assertLessEqual(overhead, 256, "KiB of the hypervisor for each domain")
        self.assertEqual(len(self.machine.domains()), DOMAINS)
        self.assertIn("idle999", self.machine.xl("list", "idle999").stdout)
        self.assertIn("cycle", [self.machine.create("idle", "-p", name="cycle", memory=2)])
        for number in range(DOMAINS):
            self.api.ask("DELETE", f"/v1/domains/idle{number}")
        self.api.ask("DELETE", "/v1/domains/cycle")
        after, _ = self.settled()
        self.expect_no_more(after, before)


if __name__ == "__main__":
    harness.main()
