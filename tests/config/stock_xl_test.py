#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""That tests/config/golden/stock/NAME.json is what Xen's own xl prints for NAME.cfg, with which stock_test.cpp compares ours.

Called with stock xl (./devtool fetch; without it the test is skipped), the library that is preloaded under it, and
the directory. With --update the .json files are written anew."""
import os
import pathlib
import subprocess
import sys
import unittest

UPDATE = "--update" in sys.argv
STOCK_XL, NO_XEN, DIRECTORY = (pathlib.Path(word).absolute() for word in sys.argv[1:4])
SKIPPED = 77


def stock_xl(*words):
    return subprocess.run([STOCK_XL, *words], env={**os.environ, "LD_PRELOAD": str(NO_XEN)}, capture_output=True,
                          stdin=subprocess.DEVNULL, text=True, timeout=60)


class StockXl(unittest.TestCase):
    def test_prints_what_is_on_record(self):
        configs = sorted(DIRECTORY.glob("*.cfg"))
        self.assertGreater(len(configs), 10)
        for config in configs:
            with self.subTest(config.name):
                done = stock_xl("-N", "create", str(config))
                self.assertEqual(done.returncode, 0, done.stderr)
                if UPDATE:
                    config.with_suffix(".json").write_text(done.stdout)
                self.assertEqual(done.stdout, config.with_suffix(".json").read_text())


if __name__ == "__main__":
    if not os.access(STOCK_XL, os.X_OK):
        print("skipped: no", STOCK_XL)
        sys.exit(SKIPPED)
    unittest.main(argv=["stock_xl_test"])
