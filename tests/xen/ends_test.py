#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What follows the end of our domains on Xen, and that what a guest said last is heard."""
import host
from host import ours
from together import Together, traces


class SoftReset(Together):
    def test_the_console_comes_back(self):
        before = traces()
        domid = self.make(ours, "reset", guest="softreset", on_poweroff="preserve")
        self.expect_log("reset", "PASS softreset")
        self.assertIn("round 1: ", host.console_log("reset"))
        self.assertEqual(host.domains()["reset"], domid)
        ours("destroy", "reset")
        self.expect_gone("reset")
        self.expect_traces(before)


if __name__ == "__main__":
    host.main()
