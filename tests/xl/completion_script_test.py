#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Completion in real shells: bash and zsh on a pseudo terminal, where TAB is typed; fish by its own `complete -C`."""
import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

from cli_test import PATIENCE, XL, CliTest


def need(shell):
    return unittest.skipUnless(shutil.which(shell), f"there is no {shell}")


class ShellTest(CliTest):
    def setUp(self):
        super().setUp()
        self.env.update(PATH=os.path.dirname(XL) + ":" + self.env["PATH"], TERM="dumb", HOME=self.dir)
        os.mkdir(self.dir + "/folder")

    def script(self, shell):
        path = f"{self.dir}/script.{shell}"
        with open(path, "w") as file:
            file.write(self.ok("completion", shell))
        return path


class Typist(ShellTest):
    """Types into a shell and looks at what its line has become."""
    start = ()
    load = ""

    def open(self):
        main, terminal = pty.openpty()
        shell = subprocess.Popen(self.start, env={**self.env, "PS1": "% ", "PROMPT": "% "}, cwd=self.dir, stdin=terminal,
                                 stdout=terminal, stderr=terminal, start_new_session=True)
        os.close(terminal)
        self.main = main
        return shell

    def type(self, keys, want):
        os.write(self.main, keys.encode())
        got, end = "", time.monotonic() + 20
        while want not in got:
            left = end - time.monotonic()
            self.assertTrue(left > 0 and select.select([self.main], [], [], left)[0], repr(got))
            got += os.read(self.main, 4096).decode(errors="replace").replace("\a", "")
        return got

    def completes(self, keys, added):
        """TAB behind `keys` adds `added` to the line, in a new shell."""
        shell = self.open()
        try:
            self.type(self.load + "; echo re''ady\n", "ready\r\n")
            self.type(keys + "\t", keys[-3:] + added)
        finally:
            shell.kill()
            shell.wait()
            os.close(self.main)

    def lines(self):
        self.ok("create", "guest.cfg", "name=guest-with-a-name")
        self.completes("xl destr", "oy ")
        self.completes("xl destroy gu", "est-with-a-name ")
        self.completes("xl wait guest-with-a-name --fo", "r=")
        self.completes("xl wait guest-with-a-name --for=boo", "ted")
        self.completes("xl create gues", "t.cfg")
        self.completes("xl create fol", "der/")
        self.completes("xl daemon sto", "p")
        self.completes("xl -v li", "st ")


@need("bash")
class BashTest(Typist):
    start = ("bash", "--norc", "--noprofile", "-i")

    def test_lines(self):
        self.load = f". {self.script('bash')}"
        self.lines()


@need("zsh")
class ZshTest(Typist):
    start = ("zsh", "-f", "-i")

    def test_lines(self):
        self.load = f"autoload -U compinit; compinit -D -u; . {self.script('zsh')}"
        self.lines()

    def test_as_a_function_file(self):
        os.makedirs(self.dir + "/functions")
        os.rename(self.script("zsh"), self.dir + "/functions/_xl")
        self.load = f"fpath=({self.dir}/functions $fpath); autoload -U compinit; compinit -D -u"
        self.completes("xl destr", "oy ")


@need("fish")
class FishTest(ShellTest):
    def fish(self, line):
        done = subprocess.run(["fish", "--no-config", "-c", f"source {self.script('fish')}; complete -C '{line}'"],
                              env=self.env, cwd=self.dir, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [row.split("\t")[0] for row in done.stdout.splitlines()]

    def test_lines(self):
        self.ok("create", "guest.cfg", "name=guest-with-a-name")
        self.assertEqual(self.fish("xl destr"), ["destroy"])
        self.assertEqual(self.fish("xl destroy gu"), ["guest-with-a-name"])
        self.assertEqual(self.fish("xl destroy "), ["Domain-0", "guest-with-a-name"])
        self.assertEqual(self.fish("xl wait x --for=boo"), ["--for=booted"])
        self.assertIn("guest.cfg", self.fish("xl create gues"))
        self.assertEqual(self.fish("xl daemon st"), ["start", "status", "stop"])


class AnswersTest(ShellTest):
    def answers(self, *words):
        done = self.ok("completion", "--", *words)
        self.assertEqual(self.xl("daemon", "status").returncode, 5)  # TAB starts nothing
        return [row.split("\t")[0] for row in done.splitlines()]

    def test_every_command_and_option_is_offered(self):
        listed = re.findall(r"(?m)^ (\S+)", self.ok("help"))
        self.assertEqual(self.answers(""), listed)
        for command in listed:
            shown = "\n".join(line for line in self.ok("help", command).splitlines() if "  Refused" not in line)
            options = set(re.findall(r"(?m)^ (-\w)\b", shown)) | set(re.findall(r"(?m)^ .{0,14}?(--[\w-]+=?)", shown))
            self.assertLessEqual({option.rstrip("=") for option in options},
                                 {option.rstrip("=") for option in self.answers(command, "-")} |
                                 {option.split("=")[0] for option in self.answers(command, "-")}, command)

    def test_values(self):
        self.assertEqual(self.answers("create", ""), [":files"])
        self.assertEqual(self.answers("create", "-f", ""), [":files"])
        self.assertEqual(self.answers("pause", "x", ""), [])
        self.assertEqual(self.answers("trigger", "x", "s"), ["sleep", "s3resume"])
        self.assertEqual(self.answers("nonsense", ""), [])
        self.assertEqual(self.answers("wait", "x", "--for=c"), ["--for=console="])
        self.assertEqual(self.answers("list", "--", "-"), [])
        self.assertEqual(self.answers("config-convert", "--to="), ["--to=cfg", "--to=yaml", "--to=json", "--to=xml"])
        self.assertEqual(self.answers("config-convert", "--from", "y"), ["yaml"])
        self.assertNotIn("-V", self.answers("create", "-"))

    def test_other_shells_are_refused(self):
        self.assertIn("'csh' is none of bash, zsh, fish", self.refused(2, "completion", "csh"))


if __name__ == "__main__":
    unittest.main(argv=["completion_script_test"])
