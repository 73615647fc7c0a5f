#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libxl++ as another program finds it: installed elsewhere, known by pkg-config alone."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD, TREE, XLD = (Path(path).resolve() for path in sys.argv[1:4])
COMPILER = os.environ.get("CXX", "c++").split() + ["-std=c++20", "-Wall", "-Wextra", "-Werror"]


def run(*words, **options):
    return subprocess.run(list(map(str, words)), check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          **options)


class LibraryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = Path(tempfile.mkdtemp(prefix="xl-library-"))
        cls.root = cls.dir / "root"
        done = run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--tags", "devel", "--destdir", cls.root)
        assert done.returncode == 0, done.stderr
        cls.description = next(cls.root.rglob("xl++.pc"))
        cls.headers = next(cls.root.rglob("include/xl++"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def flags(self, *what):
        """The installed tree is a system root's part: pkg-config puts the root before the paths of its files."""
        done = run("pkg-config", *what, "xl++",
                   env={**os.environ, "PKG_CONFIG_PATH": str(self.description.parent),
                        "PKG_CONFIG_SYSROOT_DIR": str(self.root)})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def compile(self, source, *more):
        done = run(*COMPILER, source, *more, cwd=self.dir)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])

    def test_flags(self):
        self.assertIn(f"-I{self.headers}", self.flags("--cflags"))
        self.assertIn("-lxl++", self.flags("--libs"))
        self.assertIn("-lxl++", self.flags("--static", "--libs"))

    def test_every_header_stands_alone(self):
        names = sorted(str(path.relative_to(self.headers)) for path in self.headers.rglob("*.hpp"))
        self.assertIn("libxl++/api/client.hpp", names)
        self.assertIn("libxl++/config/parse.hpp", names)
        for number, name in enumerate(names):
            source = self.dir / f"header{number}.cpp"
            source.write_text(f'#include "{name}"\n#include "{name}"\n', encoding="utf-8")
            self.compile(source, "-fsyntax-only", *self.flags("--cflags"))

    def test_the_example(self):
        """It reads a config, and lists the domains of an xld that it starts itself."""
        (self.dir / "good.cfg").write_text("name='guest'\nkernel='/k'\nmemory=64\nvcpus=2\n", encoding="utf-8")
        (self.dir / "good.yaml").write_text("name: guest\nkernel: /k\nmemory: 64\nvcpus: 2\n", encoding="utf-8")
        (self.dir / "bad.cfg").write_text("name='guest'\nkernel='/k'\nmemory='much'\n", encoding="utf-8")
        environment = {**os.environ, "XLD": str(XLD), "XL_RUNTIME_DIR": str(self.dir / "run")}
        for number, kind in enumerate(([], ["--static"])):
            program = self.dir / f"domains{number}"
            self.compile(TREE / "examples/c++/domains.cpp", *self.flags("--cflags", "--libs", *kind), "-o", program)
            for name in "good.cfg", "good.yaml":
                good = run(program, name, cwd=self.dir, env=environment)
                self.assertEqual((good.returncode, good.stderr), (0, ""))
                self.assertRegex(good.stdout, r"^config: guest, 2 vcpus, 64 MiB\ndomain 0: Domain-0, \d+ MiB\n$")
            bad = run(program, "bad.cfg", cwd=self.dir, env=environment)
            self.assertEqual((bad.returncode, bad.stdout), (1, ""))
            self.assertIn("bad.cfg:3:8: error: ", bad.stderr)
        xl = BUILD / "xl/xl"
        self.assertEqual(run(xl, "daemon", "stop", "--all", env=environment).returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
