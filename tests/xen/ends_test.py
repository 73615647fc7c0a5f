#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What follows the end of our domains on Xen, and that what a guest said last is heard."""
import re
import host
from host import ours, stock
from together import Together, flags, state, traces

HELLO = re.compile(r"\Ahello from a .*\n.*\n.*\nPASS hello\n\Z")


class LastWords(Together):
    """Guests that end as soon as they have started: before xenconsoled has made a pty for them."""

    def shown(self, name, **keys):
        return ours("create", "-c", host.tiny(name, **keys)).stdout.replace("\r", "")

    def test_create_with_the_console(self):
        before = traces()
        for name in ("one", "two", "three"):
            self.assertRegex(self.shown(name, guest="hello"), HELLO)
            self.assertIn("PASS hello", host.console_log(name))
            self.assertRegex(ours("events").stdout, rf"ended .* {name} .*last_line='PASS hello'")
        self.expect_traces(before)

    def test_create_with_the_console_of_one_that_is_kept(self):
        self.assertRegex(self.shown("kept", guest="hello", on_poweroff="preserve"), HELLO)
        self.assertEqual(flags(stock, "kept")[3], "s")
        ours("destroy", "kept")

    def test_the_log_without_anybody_attached(self):
        self.make(ours, "short", guest="hello")
        self.expect_gone("short")
        self.assertIn("PASS hello", host.console_log("short"))


class Ends(Together):
    """What the actions do."""

    def end(self, name, how, **keys):
        return self.make(ours, name, guest="crash", extra=how, **keys)

    def test_preserve(self):
        for how, key in (("poweroff", "on_poweroff"), ("shutdown", "on_crash")):
            name = f"kept-{how}"
            domid = self.end(name, how, **{key: "preserve"})
            host.wait_until(lambda: flags(stock, name)[3:4] == "s", "it is kept")
            self.assertEqual(state(stock, name)[0], str(domid))
            self.assertEqual(flags(ours, name), flags(stock, name))
            ours("destroy", name)

    def test_soft_reset(self):
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
