#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each option of stock xl is taken or refused with the reason; each option that xl has stands in its help and in its
manual page."""
import gzip
import os
import re
import unittest
from pathlib import Path

from cli_test import XL, CliTest

HERE = Path(__file__).parent
MANUAL = HERE.parents[1] / "man" / "xl.1"
# Where Xen's own page may be: the one that `./devtool fetch` takes out of Debian's package, or an installed one.
PAGES = [Path(XL).parents[1] / "fetched" / "xl.1.gz", "/usr/share/man/man1/xl.1.gz"]
# What may stand in place of a value.
VALUES = {"-f": "none.cfg", "--defconfig": "none.cfg", "-t": "pv", "-n": "0"}


def decisions():
    """Command, option, whether it takes a value, and the refusal, which is None if there is none."""
    for line in (HERE / "stock_options.txt").read_text().splitlines():
        if not line.startswith("#"):
            names, _, refusal = line.partition(": ")
            command, *options = names.split()
            for option in options:
                yield command, option.rstrip("="), option.endswith("="), refusal or None


def commands():
    lines = (HERE / "stock_options.txt").read_text().splitlines()
    return {re.split("[ :]", line)[0] for line in lines if not line.startswith("#")}


def page_options(text):
    """Subcommands and their options in Xen's page, which pod2man made."""
    section, command, depth, found = "", None, 0, {}
    for line in text.splitlines():
        line = re.sub(r"\\f[BIR]|\\s-?1|\\s0", "", line).replace("\\-", "-")
        if line.startswith(".SH"):
            section, command, depth = line[4:].strip('"'), None, 0
        elif line.startswith((".RS", ".RE")):
            depth += 1 if line.startswith(".RS") else -1
        elif (item := re.match(r'\.IP "([^"]*)"', line)) and section not in (
                "NOTES", "GLOBAL OPTIONS", "ENVIRONMENT VARIABLES", "IGNORED FOR COMPATIBILITY WITH XM"):
            name = re.match(r"[a-z][a-z0-9-]+", item[1]) if depth <= 0 else None
            if name:
                command = found.setdefault(name[0], set())
            if command is not None and (name or item[1].startswith("-")):
                command.update(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", item[1][name.end() if name else 0:]))
    return found


def manual_of(command):
    """What man/xl.1 says of a command: from its item to the next one of the same depth."""
    depth, taken, here = 0, [], False
    lines = MANUAL.read_text().splitlines()
    for number, line in enumerate(lines):
        depth += line.startswith(".Bl ") - line.startswith(".El")
        if depth <= 1 and line.startswith(".It "):
            head = " ".join(lines[number + 1:number + 3]) if line == ".It Xo" else line
            here = re.search(rf"\.?Cm (?:[a-z-]+ [|,] )*{re.escape(command)}\b(?!-)", head) is not None
        if here and (depth > 0 or line.startswith(".El")):
            taken.append(line)
    return "\n".join(taken)


GOLDEN = HERE / "golden" / "help.txt"


class HelpTest(CliTest):
    def test_it_is_as_it_was(self):
        listed = self.ok("help", "--long")
        names = re.findall(r"(?m)^ ([a-z][a-z0-9-]*)", listed)
        self.assertGreater(len(names), 100)
        said = "".join(f"$ xl {' '.join(words)}\n{self.ok(*words)}\n" for words in
                       [["help"], ["help", "--long"], *([name, "--help"] for name in names)])
        if "XL_UPDATE_GOLDEN" in os.environ:
            GOLDEN.write_text(said)
        self.maxDiff = None
        self.assertEqual(said, GOLDEN.read_text())

    def test_no_line_is_too_long(self):
        for line in self.ok("help").splitlines():
            self.assertLessEqual(len(line), 110, line)


class OptionsTest(CliTest):
    def help_options(self, command):
        """The names in the left column of its help."""
        lines = self.ok("help", command).partition("\nOptions:\n\n")[2].splitlines()
        heads = [re.split("  ", line.strip())[0] for line in lines if line.startswith(" -")]
        return {name for head in heads for name in re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", head)}

    def working(self):
        return re.findall(r"(?m)^ ([a-z][a-z0-9-]*)", self.ok("help").split("subcommands:\n")[1])

    def test_each_is_taken_or_refused(self):
        working = self.working()
        for command, option, takes_value, refusal in decisions():
            if command == "top":
                continue
            words = [command, option] + ([VALUES.get(option, "1")] if takes_value else [])
            done = self.xl(*words)
            with self.subTest(words=words, said=done.stderr):
                self.assertNotRegex(done.stderr, "there is no option|needs a value|takes no value|ambiguous")
                if refusal:
                    self.assertEqual(done.returncode, 1)
                    self.assertRegex(done.stderr, rf"^xl: error: {command}: .*{re.escape(refusal)}.*; .+\n$")
                if refusal or command not in working:
                    self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))
                    self.assertRegex(done.stderr, rf"^xl: error: {command}: .+\n$")
                else:
                    self.assertIn(option, self.help_options(command))

    def test_the_manual_has_each(self):
        for command in self.working():
            said = manual_of(command)
            self.assertTrue(said, f"man/xl.1 lacks {command}")
            for option in self.help_options(command):
                with self.subTest(command=command, option=option):
                    name = option[2:].replace("-", r"(-|\\-)") if option.startswith("--") else option[1:]
                    self.assertRegex(said, rf"Fl -{name}\b" if option.startswith("--") else rf"Fl (. , )*{name}\b")

    def test_the_manual_says_why_the_others_are_refused(self):
        for command in commands() - set(self.working()):
            self.assertGreaterEqual(len(manual_of(command).splitlines()), 2, command)

    def test_the_list_is_whole(self):
        pages = [page for page in PAGES if os.path.isfile(page)]
        if not pages:  # Debian's xen-utils-common has it
            self.skipTest("Xen's page is not here")
        with gzip.open(pages[0], "rt") as file:
            stock = page_options(file.read())
        self.assertGreater(len(stock), 80)
        known = {}
        for command, option, _, _ in decisions():
            known.setdefault(command, set()).add(option)
        for command, options in stock.items():
            if command != "help":
                self.assertIn(command, commands())
            self.assertLessEqual(options, known.get(command, set()), command)


if __name__ == "__main__":
    unittest.main(argv=["options_test"])
