#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the user of our xl sees on a real Xen as on the bundled hypervisor, by the same assertions as in tests/vm."""
import host
import store_tree
from host import ours


class Alike(host.XenTest):
    def test_a_triple_fault_is_told(self):
        for how in ("triple", "stack"):
            done = ours("create", "-F", host.tiny("faulty", guest="crash", extra=how, on_reboot="destroy"), check=False)
            self.assertEqual(done.returncode, 6, done.stderr)
            self.assertRegex(done.stderr, r"^xl: error: domain 'faulty' ended by a triple fault;.* see `xl dmesg`")
            self.assertIn(" reason=reboot cause='triple fault' ", ours("events").stdout.splitlines()[-1])

    def test_the_tree_is_the_same(self):
        ours("create", "-p", host.tiny("tree", **store_tree.KEYS))
        domid = host.domains()["tree"]
        uuid = ours("list", "-v", "tree").stdout.splitlines()[1].split()[6]
        host.wait_until(lambda: "/dev/pts/" in host.run("xenstore-read", f"/local/domain/{domid}/console/tty").stdout,
                        "xenconsoled has given it a terminal")
        self.assertEqual(store_tree.tree(host.run("xenstore-ls", "-f", "-p").stdout, domid, uuid), store_tree.expected())


if __name__ == "__main__":
    host.main()
