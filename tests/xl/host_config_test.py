#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""xl.conf(5): read at each request, from $XL_CONF here."""
import json
import os
import unittest

from cli_test import CliTest


class HostConfigTest(CliTest):
    def setUp(self):
        super().setUp()
        self.env["XL_CONF"] = self.dir + "/xl.conf"

    def write(self, text):
        with open(self.dir + "/xl.conf", "w") as file:
            file.write(text)

    def affinity(self, domain):
        return self.ok("vcpu-list", domain).splitlines()[1].split()[-3]

    def test_a_mask_narrows_what_the_config_and_vcpu_pin_say(self):
        self.write("vm.cpumask = \"0-1\"\n")
        self.ok("create", "guest.cfg", "cpus=1-7")
        self.assertEqual(self.affinity("guest"), "1")
        self.ok("vcpu-pin", "guest", "all", "0,2")
        self.assertEqual(self.affinity("guest"), "0")
        self.assertIn("of the CPUs 2-3 the mask 0-1 leaves none; choose others, or change vm.cpumask",
                      self.refused(1, "vcpu-pin", "guest", "all", "2-3"))
        self.assertIn("the mask 0-1 leaves none", self.refused(3, "create", "guest.cfg", "name=b", "cpus=7"))
        self.write("vm.hvm.cpumask = '1'\n")  # no restart is needed
        self.ok("create", "guest.cfg", "name=c")
        self.assertEqual(self.affinity("c"), "1")

    def test_a_mask_can_be_ignored(self):
        self.write("vm.cpumask = '0'\n")
        self.ok("create", "guest.cfg")
        self.refused(1, "vcpu-pin", "guest", "all", "1")
        self.ok("vcpu-pin", "--ignore-global-affinity-masks", "guest", "all", "1")
        self.assertEqual(self.affinity("guest"), "1")
        self.ok("create", "--ignore-global-affinity-masks", "guest.cfg", "name=b", "cpus=1")
        self.assertEqual(self.affinity("b"), "1")

    def test_warnings_come_once(self):
        self.write("lockfile = '/tmp/lock'\n")
        first = self.xl("create", "-n", "guest.cfg")
        self.assertEqual(first.returncode, 0)
        self.assertEqual(first.stderr, f"{self.dir}/xl.conf:1:1: warning: 'lockfile' has no effect: xld serves many "
                                       "commands at once and needs no lock file\n    lockfile = '/tmp/lock'\n"
                                       "    ^~~~~~~~\n")
        self.assertEqual(self.xl("create", "guest.cfg").stderr, "")
        self.write("lockfile = '/tmp/other'\n")
        self.assertIn("'lockfile' has no effect", self.xl("create", "guest.cfg", "name=b").stderr)

    def test_interfaces_get_the_defaults(self):
        self.write("vif.default.bridge = 'br7'\nvif.default.script = 'vif-route'\nmax_grant_frames = 64\n")
        done = self.xl("-N", "create", "guest.cfg", "vif=['', 'bridge=mine']")
        self.assertEqual(done.returncode, 0, done.stderr)
        made = json.loads(done.stdout)
        self.assertEqual([(nic["bridge"], nic["script"]) for nic in made["nics"]],
                         [("br7", "vif-route"), ("mine", "vif-route")])
        self.assertEqual(made["b_info"]["max_grant_frames"], 64)
        self.assertIn("'max_grant_frames' is shown by `xl -N create` alone: ", done.stderr)
        self.assertEqual(json.loads(self.ok("-N", "network-attach", "0", "script=own")),
                         {"bridge": "br7", "script": "own"})

    def test_what_cannot_be_read_refuses(self):
        self.assertIn("xl.conf", self.refused(4, "create", "guest.cfg"))
        self.write("vm.cpumask = 'x'\n")
        done = self.xl("create", "guest.cfg")
        self.assertEqual(done.returncode, 3)
        self.assertIn("/xl.conf:1:14: error: 'vm.cpumask': ", done.stderr)
        os.remove(self.dir + "/xl.conf")
        os.mkdir(self.dir + "/xl.conf")
        self.assertIn("reading the host's config", self.refused(3, "create", "guest.cfg"))
        self.assertEqual(len(self.ok("vm-list").splitlines()), 2)


if __name__ == "__main__":
    unittest.main(argv=["host_config_test"])
