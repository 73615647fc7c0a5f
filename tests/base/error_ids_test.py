#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each error of the table can come up: its id stands somewhere in the sources beside the table."""
import re
import subprocess
import sys
import unittest
from pathlib import Path

TREE = Path(sys.argv.pop(1)).resolve()
PARTS = ["base/error.cpp", "hypervisor-iface/bundled", "hypervisor-iface/xen", "hypervisor-iface/xen_loader.cpp",
         "libdomainbuilder", "libxl++", "xld", "xl"]


class ErrorIds(unittest.TestCase):
    def test_each_is_used(self):
        declared = re.search(r"enum class ErrorId[^{]*{(.*?)}", (TREE / "base/error_id.hpp").read_text(), re.DOTALL)[1]
        ids = set(re.findall(r"^  (\w+),", declared, re.MULTILINE))
        self.assertGreater(len(ids), 70)
        general = set(re.findall(r"^  (\w+),", re.search(r"enum class ErrorCode {(.*?)}", (
            TREE / "base/error_id.hpp").read_text(), re.DOTALL)[1], re.MULTILINE))
        files = subprocess.run(["git", "-C", TREE, "ls-files", "-z", *PARTS], check=True, capture_output=True,
                               text=True).stdout.split("\0")
        text = "".join((TREE / name).read_text() for name in files if name.endswith((".cpp", ".hpp")))
        self.assertEqual(ids - general - set(re.findall(r"ErrorId::(\w+)", text)), set())


if __name__ == "__main__":
    unittest.main()
