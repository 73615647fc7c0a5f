#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python module goes into another Python by pip, without any network."""
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TREE = Path(sys.argv[1])


class PackagingTest(unittest.TestCase):
    @unittest.skipIf(importlib.util.find_spec("pip") is None, "this Python has no pip")
    def test_pip_takes_it_from_the_tree(self):
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder, "python")
            shutil.copytree(TREE / "python", work, ignore=shutil.ignore_patterns("__pycache__"))
            subprocess.run([sys.executable, "-m", "pip", "install", "--no-index", "--quiet", "--no-cache-dir",
                            "--disable-pip-version-check", "--root-user-action=ignore", "--target", folder + "/site", work],
                           check=True, stdin=subprocess.DEVNULL)
            names = {path.name for path in (work / "xlpp").iterdir() if path.is_file()}
            self.assertEqual({path.name for path in Path(folder, "site/xlpp").iterdir() if path.is_file()}, names)
            self.assertIn("py.typed", names)
            subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '{folder}/site'); import xlpp; "
                            "import importlib.metadata as m; assert m.version('xlpp'); xlpp.Client(start=False)"],
                           check=True, stdin=subprocess.DEVNULL)

    def test_meson_installs_every_file(self):
        listed = (TREE / "python/meson.build").read_text(encoding="utf-8")
        self.assertEqual([path.name for path in (TREE / "python/xlpp").iterdir()
                          if path.is_file() and f"'xlpp/{path.name}'" not in listed], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
