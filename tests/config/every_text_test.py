#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No finding without its exact text: each sentence that stands in the sources of libxl++/config (messages and hints, as
string literals) is in a golden file, or below with the reason why none can have it. So is each key of the table."""
import re
import subprocess
import sys
import unittest
from pathlib import Path

TREE = Path(sys.argv.pop(1)).resolve()
SOURCES = "libxl++/config"
GOLDENS = [*(TREE / "tests/config/golden").rglob("*.expected"), *(TREE / "tests/errors/golden").glob("*.txt"),
           TREE / "tests/xl/golden/errors.txt"]
# What has sentences that are no findings.
NO_FINDINGS = {"sarif.cpp"}

# Sentences that no test brings about, and why.
WITHOUT = {
    "boolean or list of strings": "xl.cfg(5)'s words for a type",
    "boolean or one of ": "xl.cfg(5)'s words for a type",
    "list of lists of strings": "xl.cfg(5)'s words for a type",
    "string or list of strings": "xl.cfg(5)'s words for a type",
    "not XML: there is no element": "libxml2 always has a word of its own for that; this one holds if it ever has not",
    "this is no libxl_domain_config as JSON": "nobody sees it: `xl list -l` tells then what xld knows itself",
    "unknown error": "libxml2's errors have a text",
}

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?P<raw>.*?)\)"|"(?P<text>(?:[^"\\\n]|\\.)*)"|(?P<other>\'(?:[^\'\\]|\\.)\'|\S)', re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "'": "'", "0": "\0", "r": "\r"}


def literals(source):
    """String literals, those that stand side by side joined."""
    joined = None
    for token in TOKEN.finditer(source):
        if token["text"] is not None or token["raw"] is not None:
            text = token["raw"] if token["raw"] is not None else re.sub(
                r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[0]), token["text"])
            joined = (joined or "") + text
        elif token["other"] is not None and joined is not None:
            yield joined
            joined = None


def sentences():
    for name in subprocess.run(["git", "-C", TREE, "ls-files", "-z", SOURCES], check=True, capture_output=True,
                               text=True).stdout.split("\0"):
        if name.endswith((".cpp", ".hpp")) and Path(name).name not in NO_FINDINGS:
            for text in literals(re.sub(r"^[ \t]*#.*$", "", (TREE / name).read_text(), flags=re.MULTILINE)):
                is_output = name.endswith("write_xml.cpp") and text.lstrip().startswith("<")
                if not is_output and re.search(r"[a-z]{2,},? [a-z(<'\"{]", text):
                    yield name, text


def pattern(text):
    """What a text of fmt matches within a line."""
    pieces = re.split(r"(?<!{){[^{}]*}(?!})", text.strip())
    return ".*".join(re.escape(piece.replace("{{", "{").replace("}}", "}")) for piece in pieces)


class EveryText(unittest.TestCase):
    def test_is_in_a_golden_file(self):
        golden = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in GOLDENS)
        lacking = {(name, text) for name, text in sentences() if not re.search(pattern(text), golden)}
        self.assertGreater(len(list(sentences())), 200)
        self.assertEqual(sorted(entry for entry in lacking if entry[1] not in WITHOUT), [])
        self.assertEqual(sorted(set(WITHOUT) - {text for _, text in lacking}), [])


if __name__ == "__main__":
    unittest.main()
