#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the user of our xl sees on a real Xen as on the bundled hypervisor, by the same assertions as in tests/vm."""
import host
from host import ours


class Alike(host.XenTest):
    def test_a_triple_fault_is_told(self):
        for how in ("triple", "stack"):
            done = ours("create", "-F", host.tiny("faulty", guest="crash", extra=how, on_reboot="destroy"), check=False)
            self.assertEqual(done.returncode, 6, done.stderr)
            self.assertRegex(done.stderr, r"^xl: error: domain 'faulty' ended by a triple fault;.* see `xl dmesg`")
            self.assertIn(" reason=reboot cause='triple fault' ", ours("events").stdout.splitlines()[-1])


if __name__ == "__main__":
    host.main()
