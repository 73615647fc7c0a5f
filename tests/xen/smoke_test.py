#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The test bed itself: a real Xen, on which the stock toolstack makes domains, shows them and destroys them."""
import os
import host


class Smoke(host.XenTest):
    def test_the_hypervisor_is_the_real_xen(self):
        info = dict(map(str.strip, line.split(":", 1)) for line in host.stock("info").stdout.splitlines() if ":" in line)
        self.assertEqual((info["xen_major"], info["xen_minor"]), ("4", "17"))
        self.assertIn("hvm", info["virt_caps"].split())
        self.assertIn("hap", info["virt_caps"].split())
        self.assertIn("control_d", open("/proc/xen/capabilities", encoding="ascii").read())

    def test_the_build_tree_is_here_and_runs(self):
        self.assertIn("usage", host.run(host.XL, "help").stdout.lower())
        self.assertTrue(os.access(host.GUESTS / "idle.elf", os.R_OK))

    def test_a_domain_is_made_paused_listed_and_destroyed(self):
        host.stock("create", "-p", host.tiny("tiny"))
        domid = host.domains()["tiny"]
        self.assertGreater(domid, 0)
        row = host.stock("list", "tiny").stdout.splitlines()[1].split()
        self.assertEqual(row[2:5], [str(host.SMALLEST_MIB), "1", "--p---"])
        self.assertEqual(host.run("xenstore-read", f"/local/domain/{domid}/name").stdout.strip(), "tiny")
        host.stock("destroy", "tiny")
        self.assertNotIn("tiny", host.domains())

    def test_a_domain_runs_and_its_console_is_logged(self):
        host.stock("create", host.tiny("speaks", guest="hello"))
        host.wait_until(lambda: "hello" in host.console_log("speaks").lower(), "the guest's greeting in its console's log", 30)


if __name__ == "__main__":
    host.main()
