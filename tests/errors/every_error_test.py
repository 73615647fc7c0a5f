#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No error without its exact text: each ErrorId stands in a golden file, brought about by a test, or below with the
reason why none can. A golden line ends in the error's name in brackets; findings in a config are followed by a note that
names it."""
import re
import sys
import unittest
from pathlib import Path

TREE = Path(sys.argv.pop(1)).resolve()
GOLDENS = sorted((TREE / "tests/errors/golden").glob("*.txt")) + [TREE / "tests/xl/golden/errors.txt"]

# What no test brings about, and why.
WITHOUT = {
    "guest-memory-absent": "the bundled hypervisor says it of a guest that gave its own rings away; waist-bundled has it",
    "hypervisor-gone": "of the class; each place that knows of one has a name of its own for it",
    "interrupted": "of the class, likewise",
    "invalid-image": "of the class, likewise",
    "timeout": "of the class, likewise",
    "xen-not-usable": "it needs a domain 0 that lacks something",
    "xen-version-mismatch": "it needs a Xen of another version than that of the libraries",
}


def ids():
    """Of the enumeration, with hyphens as people see them."""
    text = re.search(r"enum class ErrorId[^{]*{(.*?)}", (TREE / "base/error_id.hpp").read_text(), re.DOTALL)[1]
    return {name.replace("_", "-") for name in re.findall(r"^  (\w+),", text, re.MULTILINE)}


def shown():
    text = "".join(path.read_text() for path in GOLDENS)
    return set(re.findall(r" \[([a-z-]+)\]$", text, re.MULTILINE)) | set(
        re.findall(r"^xl: note: `xl explain ([a-z-]+)`", text, re.MULTILINE))


class EveryError(unittest.TestCase):
    def test_has_a_text(self):
        self.assertGreater(len(ids()), 90)
        self.assertEqual(sorted(ids() - shown() - set(WITHOUT)), [])

    def test_the_exceptions_are_needed(self):
        self.assertEqual(sorted(set(WITHOUT) & shown()), [])
        self.assertEqual(sorted(set(WITHOUT) - ids()), [])

    def test_no_other_names_are_shown(self):
        self.assertEqual(sorted(shown() - ids()), [])

    def test_each_text_is_one_line_that_says_something(self):
        for path in GOLDENS[:-1]:
            for line in path.read_text().splitlines():
                self.assertRegex(line, r"^(# \S.*|\S.* \[[a-z-]+\])$", path.name)


if __name__ == "__main__":
    unittest.main()
