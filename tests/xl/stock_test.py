#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each subcommand of stock xl is answered: it works, or one line says why not and what to do."""
import json
import os
import re
import unittest

from cli_test import CliTest

# What `xl help` of Xen 4.17 lists.
STOCK_COMMANDS = """create config-update list destroy shutdown reboot pci-attach pci-detach pci-list
pci-assignable-add pci-assignable-remove pci-assignable-list pause unpause console vncviewer save migrate restore
migrate-receive dump-core cd-insert cd-eject mem-max mem-set button-press vcpu-list vcpu-pin vcpu-set vm-list info
sharing sched-credit sched-credit2 sched-rtds domid domname rename trigger sysrq debug-keys set-parameters dmesg top
network-attach network-list network-detach channel-list block-attach block-list block-detach vtpm-attach vtpm-list
vtpm-detach vkb-attach vkb-list vkb-detach vdispl-attach vdispl-list vdispl-detach vsnd-attach vsnd-list vsnd-detach
uptime claims cpupool-create cpupool-list cpupool-destroy cpupool-rename cpupool-cpu-add cpupool-cpu-remove
cpupool-migrate cpupool-numa-split getenforce setenforce loadpolicy remus devd psr-hwinfo psr-cmt-attach
psr-cmt-detach psr-cmt-show psr-cat-set psr-cat-show psr-mba-set psr-mba-show usbctrl-attach usbctrl-detach
usbdev-attach usbdev-detach usb-list qemu-monitor-command"""

# printf's patterns of stock xl, filled in; those without heading print nothing.
EMPTY_LISTS = {
    "block-list": "%-5s %-3s %-6s %-5s %-6s %-8s %-30s\n"
                  % ("Vdev", "BE", "handle", "state", "evt-ch", "ring-ref", "BE-path"),
    "network-list": "%-3s %-2s %-17s %-6s %-5s %-6s %5s/%-5s %-30s\n"
                    % ("Idx", "BE", "Mac Addr.", "handle", "state", "evt-ch", "tx-", "rx-ring-ref", "BE-path"),
    "channel-list": "%-3s %-2s %-5s %-6s %8s %-10s %-30s\n"
                    % ("Idx", "BE", "state", "evt-ch", "ring-ref", "connection", ""),
    "vtpm-list": "%-3s %-2s %-36s %-6s %-5s %-6s %-5s %-10s\n"
                 % ("Idx", "BE", "Uuid", "handle", "state", "evt-ch", "ring-ref", "BE-path"),
    "vkb-list": "%-3s %-2s %-6s %-5s %-6s %6s %-10s %-10s %-30s\n"
                % ("Idx", "BE", "handle", "state", "evt-ch", "ref", "ID", "BE-type", "BE-path"),
    "pci-list": "Vdev Device\n",
    "vdispl-list": "",
    "vsnd-list": "",
    "usb-list": "",
}


class StockTest(CliTest):
    def test_each_subcommand_of_stock_xl_is_answered(self):
        listed = self.ok("help", "--long")
        for name in STOCK_COMMANDS.split():
            self.assertRegex(listed, rf"(?m)^ {name}( |$)")
            self.assertTrue(self.ok("help", name).startswith("Usage: xl [-v"), name)
        refused = re.findall(r"(?m)^ (\S+) +refused: (.+)$", listed.replace(" \n" + " " * 21, " "))
        self.assertGreater(len(refused), 50)
        for name, reason in refused:
            self.assertEqual(self.refused(1, name, "any", "words"), f"{name}: {reason}")
        self.assertFalse(os.path.exists(self.dir + "/run"))

    def test_help_has_stock_xls_form(self):
        self.assertEqual(self.ok("help", "--long").splitlines()[:5],
                         ["Usage xl [-vfNtT] <subcommand> [args]", "", "xl full list of subcommands:", "", "Domains:"])
        for words in ["help"], ["-h"], ["-vN", "--help"]:
            self.assertEqual(self.ok(*words).splitlines()[:5],
                             ["Usage xl [-vfNtT] <subcommand> [args]", "", "xl full list of subcommands:", "",
                              " create              Create a domain from a config file"])
        rows = self.ok("help", "--long").splitlines()
        row = rows.index(" qemu-monitor-command ")  # longer than the column, as in stock xl
        self.assertRegex(rows[row + 1], "^ {21}refused: PVH guests have no QEMU")
        self.assertEqual(self.ok("help", "cd-eject"), "Usage: xl [-vf] cd-eject\n\nRefused: PVH guests have no emulated "
                                                      "CD drive; use block-attach.\n")
        self.assertTrue(self.ok("help", "create").startswith("Usage: xl [-vfN] create <"))
        self.assertEqual(self.ok("help", "domname"),
                         "Usage: xl [-v] domname [--json] <DomainId>\n\nPrint a domain's name.\n\nOptions:\n\n"
                         " --json                  Print JSON\n")

    def test_options_of_stock_xl(self):
        self.ok("create", "guest.cfg")
        self.ok("create", "guest.cfg", "name=second")
        rows = self.ok("list", "second", "1").splitlines()
        self.assertEqual([row.split()[0] for row in rows], ["Name", "second", "guest"])
        self.assertEqual([domain["domid"] for domain in json.loads(self.ok("list", "--json", "2", "guest"))], [2, 1])
        self.refused(2, "list", "-l", "1", "2")
        self.assertIn("no emulated serial port", self.refused(1, "console", "-t", "serial", "guest"))
        self.assertIn("no console '1'", self.refused(1, "console", "-n", "1", "guest"))
        self.assertIn("'vga' is not a console", self.refused(2, "console", "-t", "vga", "guest"))
        self.ok("destroy", "-f", "second")

    def test_the_topology(self):
        listed = self.ok("info", "-n").splitlines()
        at = listed.index("cpu_topology           :")
        self.assertEqual(listed[at - 1].split()[0], "free_cpus")
        cpus = int(self.ok("info", "nr_cpus"))
        free, total = (int(self.ok("info", key)) for key in ("free_memory", "total_memory"))
        self.assertEqual(listed[at + 1:at + cpus + 9], [
            "cpu:    core    socket     node", *("%3d:    %4d     %4d     %4d" % (cpu, cpu, 0, 0) for cpu in range(cpus)),
            "device topology        :", "device           node", "No device topology data available",
            "numa_info              :", "node:    memsize    memfree    distances",
            "%4d:    %6d     %6d      %d" % (0, total, free, 10), listed[at + cpus + 8]])
        self.assertRegex(listed[at + cpus + 8], "^xen_major ")

    def test_lists_of_what_no_domain_has(self):
        self.ok("create", "guest.cfg")
        for name, heading in EMPTY_LISTS.items():
            self.assertEqual(self.ok(name, "guest"), heading, name)
            self.assertEqual(self.ok(name, "--json", "guest", "Domain-0"), "[]\n")
            self.assertIn("'none'", self.refused(4, name, "none"))
        self.assertEqual(self.ok("pci-assignable-list"), "")
        self.assertEqual(self.ok("getenforce"), "Flask XSM Disabled\n")
        self.assertRegex(self.ok("sharing", "guest"),
                         r"^Name {40}ID   Mem Shared\nguest {40}1     8      0\n$")
        self.assertRegex(self.ok("claims"), r"^Name {40}ID   Mem VCPUs\tState\tTime\(s\)  Claimed\n"
                         r"(\S+ .* +\d+\.\d     0\n){2}$")

    def test_the_one_pool(self):
        cpus = int(self.ok("info", "nr_cpus"))
        self.assertEqual(self.ok("cpupool-list"), "Name               CPUs   Sched     Active   Domain count\n"
                         f"Pool-0             {cpus:3}   credit2       y          1\n")
        self.assertEqual(self.ok("cpupool-list", "-c", "Pool-0"), "Name               CPU list\nPool-0             "
                         + ",".join(map(str, range(cpus))) + "\n")
        self.assertEqual(json.loads(self.ok("cpupool-list", "--json"))[0]["cpus"], cpus)
        self.assertIn("no CPU pool 'other'", self.refused(4, "cpupool-list", "other"))


if __name__ == "__main__":
    unittest.main(argv=["stock_test"])
