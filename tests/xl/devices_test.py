#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What block-attach, network-attach and vcpu-pin show in a dry run, and that nothing comes of it."""
import json
import unittest

from cli_test import CliTest

# Specifications of xl-disk-configuration(5) that mean the same, and libxl's JSON of them, in its order.
PLAIN = [["pdev_path", "/dev/vg/guest-volume"], ["vdev", "hda"], ["format", "raw"], ["readwrite", 1]]
CDROM = [["pdev_path", "/root/image.iso"], ["vdev", "hdc"], ["format", "raw"], ["removable", 1], ["is_cdrom", 1]]
DISKS = [
    (["/dev/vg/guest-volume,,hda"], PLAIN),
    (["/dev/vg/guest-volume,raw,hda,rw"], PLAIN),
    (["format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume"], PLAIN),
    (["format=raw", "vdev=hda", "access=rw", "target=/dev/vg/guest-volume"], PLAIN),
    (["raw:/dev/vg/guest-volume,hda,w"], PLAIN),
    (["/root/image.iso,,hdc,cdrom"], CDROM),
    (["raw:/root/image.iso,hdc:cdrom,ro"], CDROM),
    ([",hdc:cdrom,r"], [["pdev_path", ""], ["vdev", "hdc"], ["format", "empty"], ["removable", 1], ["is_cdrom", 1]]),
    (["untrusted", "no-discard", "vdev=d1p2", "backendtype=phy", "target=a,b"],
     [["pdev_path", "a,b"], ["vdev", "d1p2"], ["backend", "phy"], ["format", "raw"], ["readwrite", 1],
      ["discard_enable", "False"], ["trusted", "False"]]),
]


def members(text):
    return [list(pair) for pair in json.loads(text, object_pairs_hook=lambda pairs: pairs)]


class DevicesTest(CliTest):
    def test_disks_in_libxls_form(self):
        for words, expected in DISKS:
            self.assertEqual(members(self.ok("-N", "block-attach", "0", *words)), expected, words)

    def test_a_name_is_looked_up_and_a_domid_is_not(self):
        """As stock xl does it; and no hypervisor is started for it."""
        disk = '{\n    "pdev_path": "/x",\n    "vdev": "xvda",\n    "format": "raw",\n    "readwrite": 1\n}\n'
        self.assertEqual(self.ok("-N", "block-attach", "42", "/x,,xvda"), disk)
        self.assertEqual(self.ok("-N", "block-attach", "Domain-0", "/x,,xvda"), disk)
        for words in (["block-attach", "nobody", "/x,,xvda"], ["network-attach", "nobody"],
                      ["vcpu-pin", "nobody", "0", "all"]):
            self.assertIn("nobody", self.refused(4, "-N", *words))
        self.assertRegex(self.ok("daemon", "status"), r"hypervisor +: not started")
        self.ok("create", "guest.cfg")
        self.assertEqual(self.ok("-N", "block-attach", "guest", "/x,,xvda"), disk)
        self.assertEqual(self.ok("-N", "network-attach", "guest"), "{}\n")

    def test_interfaces_in_libxls_form(self):
        words = "mac=00:16:3E:74:3d:76,bridge=xenbr0", "rate=1MB/s@20ms", "mtu=9000"
        self.assertEqual(members(self.ok("-N", "network-attach", "0", *words)),
                         [["mtu", 9000], ["mac", "00:16:3e:74:3d:76"], ["bridge", "xenbr0"],
                          ["rate_bytes_per_interval", 20000], ["rate_interval_usecs", 20000]])
        self.assertEqual(self.ok("-N", "network-attach", "0"), "{}\n")
        done = self.xl("-N", "network-attach", "0", "type=ioemu")
        self.assertEqual((done.returncode, members(done.stdout)), (0, [["nictype", "vif_ioemu"]]))
        self.assertIn("warning: type=ioemu has no meaning here", done.stderr)

    def test_all_errors_at_once_with_their_place(self):
        done = self.xl("-N", "block-attach", "0", "/x,,hde", "foo=1")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertEqual(done.stderr.splitlines()[:3],
                         ["command line:1:5: error: 'hde' is a disk beyond the last one, hdd",
                          "    /x,,hde foo=1", "        ^~~"])
        self.assertIn("command line:1:9: error: a disk has no parameter 'foo'\n", done.stderr)

    def test_sets_of_cpus(self):
        self.ok("create", "guest.cfg")
        before = self.ok("vcpu-list")
        self.assertEqual(self.ok("-N", "vcpu-pin", "guest", "all", "0-1,^1"), "cpumap: 0\n")
        self.assertEqual(self.ok("-N", "vcpu-pin", "guest", "0", "-", "all"), "cpumap: - all\n")
        self.assertEqual(self.ok("-N", "vcpu-pin", "guest", "0", "1", "-"), "cpumap: 1\n")
        self.assertIn("is not a number", self.refused(1, "-N", "vcpu-pin", "guest", "0", "x"))
        self.assertEqual([row.split()[6] for row in self.ok("vcpu-list").splitlines()],
                         [row.split()[6] for row in before.splitlines()])

    def test_without_the_dry_run_one_line_says_why_not(self):
        self.assertIn("there is no block backend yet", self.refused(1, "block-attach", "0", "/x,,xvda"))
        self.assertIn("there is no network backend yet", self.refused(1, "network-attach", "0"))
        self.assertIn("missing: `xl ", self.refused(2, "-N", "block-attach", "0"))


if __name__ == "__main__":
    unittest.main(argv=["devices_test"])
