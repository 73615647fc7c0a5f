#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shape of the tree: who may include whom, how long a file may be, and that each says its licence."""
import re
import subprocess
import sys
import unittest
from pathlib import Path

TREE = Path(sys.argv.pop(1)).resolve()
LONGEST = 400  # lines of a source file

# Arrows go one way. A folder may include itself and what stands here; the most specific name counts.
MAY_INCLUDE = {
    "base": [],
    "hypervisor/abi": [],
    "hypervisor/core": ["base", "hypervisor/abi"],
    "hypervisor/x86_64": ["base", "hypervisor/abi", "hypervisor/core"],
    "hypervisor-iface": ["base", "hypervisor/abi"],
    "libdomainbuilder": ["base", "hypervisor-iface"],
    "libxl++/config": ["base"],
    "libxl++/xenstore": ["base", "hypervisor-iface"],
    "libxl++/console": ["base", "hypervisor-iface", "libxl++/xenstore"],
    "libxl++/coredump": ["base", "hypervisor-iface"],
    "libxl++/toolstack": ["base", "hypervisor-iface", "libdomainbuilder", "libxl++/config", "libxl++/console",
                          "libxl++/coredump", "libxl++/xenstore"],
    "libxl++/api": ["base", "libdomainbuilder", "libxl++/config", "libxl++/coredump", "libxl++/toolstack"],
    "xld": ["base", "hypervisor-iface", "libxl++/api", "libxl++/toolstack"],
    "xl": ["base", "libxl++/api"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def tracked():
    listed = subprocess.run(["git", "-C", TREE, "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (TREE / name).is_file()]


def folder_of(name):
    return next((part for part in sorted(MAY_INCLUDE, key=len, reverse=True) if name.startswith(part + "/")), None)


class Tree(unittest.TestCase):
    def sources(self, *endings):
        found = [name for name in tracked() if name.endswith(endings)]
        self.assertTrue(found)
        return found

    def test_includes_go_one_way(self):
        wrong, arrows = [], 0
        for name in self.sources(".cpp", ".hpp", ".S"):
            folder = folder_of(name)
            if folder is None:
                continue  # tests may include all
            for target in INCLUDE.findall((TREE / name).read_text(encoding="utf-8")):
                arrows += 1
                if folder_of(target) not in [folder, *MAY_INCLUDE[folder]]:
                    wrong.append(f"{name} includes {target}")
        self.assertEqual(wrong, [])
        self.assertGreater(arrows, 100)

    def test_files_are_short(self):
        lengths = {name: len((TREE / name).read_text(encoding="utf-8").splitlines())
                   for name in self.sources(".cpp", ".hpp", ".S", ".py")}
        self.assertEqual({name: lines for name, lines in lengths.items() if lines > LONGEST}, {})

    def test_each_source_says_its_licence(self):
        inputs = ("/golden/", "/corpus/")  # exact bytes that a test reads
        silent = [name for name in self.sources(".cpp", ".hpp", ".S", ".py", ".sh", "meson.build", ".cfg", ".yaml")
                  if not any(part in name for part in inputs)
                  and b"SPDX-License-Identifier: Apache-2.0" not in (TREE / name).read_bytes()[:300]]
        self.assertEqual(silent, [])

    def test_every_tiny_guest_is_run_on_both_hypervisors(self):
        made = re.findall(r"^  '([a-z0-9-]+)': \[\[", (TREE / "tests/guests/meson.build").read_text(encoding="utf-8"), re.MULTILINE)
        suite = "".join((TREE / name).read_text(encoding="utf-8") for name in self.sources(".cpp")
                        if name.startswith("tests/hypervisor-iface/conformance_"))
        self.assertGreater(len(made), 20)
        self.assertEqual([name for name in made if f'{{"{name}"' not in suite], [])


if __name__ == "__main__":
    unittest.main()
