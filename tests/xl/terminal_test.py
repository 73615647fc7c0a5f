#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What messages look like on a terminal and in a pipe: colours, and progress."""
import os
import pty
import re
import subprocess
import unittest

from cli_test import PATIENCE, XL, CliTest

ERROR = "\033[1mxl:\033[0m \033[1;31merror:\033[0m "


class TerminalTest(CliTest):
    def on_a_terminal(self, *words, stdout=None, **env):
        """What comes out on standard error, a terminal; and the exit status."""
        main, terminal = pty.openpty()
        process = subprocess.Popen([XL, *words], env={**self.env, "TERM": "xterm", **env}, cwd=self.dir,
                                   stdin=subprocess.DEVNULL, stdout=stdout or terminal, stderr=terminal)
        os.close(terminal)
        got = b""
        try:
            while chunk := os.read(main, 4096):
                got += chunk
        except OSError:  # the other side is closed
            pass
        os.close(main)
        return got.decode(), process.wait(PATIENCE)

    def test_errors_have_colours(self):
        text, status = self.on_a_terminal("pause", "none")
        self.assertTrue(text.startswith(ERROR), repr(text))
        self.assertEqual(status, 4)
        self.assertTrue(self.on_a_terminal("--bad")[0].startswith(ERROR))
        stamped = self.on_a_terminal("-T", "pause", "none")[0]
        self.assertRegex(stamped, r"^\d{4}-.* \[\d+\] " + re.escape(ERROR))

    def test_findings_have_colours(self):
        with open(self.dir + "/wrong.cfg", "w") as file:
            file.write("name = 'a'\nmemory = [\n")
        text, _ = self.on_a_terminal("create", "wrong.cfg")
        self.assertRegex(text, r"^\033\[1mwrong\.cfg:\d+:\d+:\033\[0m \033\[1;31merror:\033\[0m ")
        self.assertRegex(text, r"\033\[1;32m +\^~*\033\[0m\r\n")

    def test_no_colours_if_they_are_not_wanted(self):
        for env in {"NO_COLOR": "1"}, {"TERM": "dumb"}:
            self.assertTrue(self.on_a_terminal("pause", "none", **env)[0].startswith("xl: error: "), env)
        self.assertTrue(self.on_a_terminal("pause", "none", NO_COLOR="")[0].startswith(ERROR))
        self.assertNotIn("\033", self.xl("pause", "none").stderr)

    def test_progress(self):
        self.ok("create", "guest.cfg")
        wait = ("wait", "guest", "--for=console=never", "--timeout=2.5")
        line = "waiting for 'guest': console=never ... "
        text, status = self.on_a_terminal(*wait)
        self.assertEqual(status, 7)
        self.assertTrue(text.startswith(f"{line}1 s\r\033[K{line}2 s\r\033[K{ERROR}"), repr(text))
        text, _ = self.on_a_terminal("-t", *wait, NO_COLOR="1")
        wiped = "\r" + " " * len(line + "1 s") + "\r"
        self.assertTrue(text.startswith(f"{line}1 s{wiped}{line}2 s{wiped}xl: error: "), repr(text))
        self.assertNotIn("\033", text)
        self.assertNotIn("waiting for", self.xl(*wait).stderr.split("error: ")[0])
        self.assertNotIn(" s\r", self.xl("-t", *wait).stderr)

    def test_what_is_quick_shows_none(self):
        text, status = self.on_a_terminal("create", "guest.cfg")
        self.assertEqual((text, status), ("", 0))


if __name__ == "__main__":
    unittest.main(argv=["terminal_test"])
