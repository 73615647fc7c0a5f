#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the test bed's tool does without a boot: frames, its part of the initramfs, shared folders, what it says when something is
missing; and how run.py reads the programs' reports."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
TOOL = TOP / "tools" / "xen-testbed"
sys.dont_write_bytecode = True
sys.path[:0] = [str(TOOL), str(TOP / "tests" / "vm")]

import bed  # noqa: E402
import channel  # noqa: E402
import harness  # noqa: E402
import surroundings  # noqa: E402


def tool(*arguments, **environment):
    return subprocess.run([sys.executable, TOOL, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=60, env=dict(os.environ, **environment))


class Frames(unittest.TestCase):
    def test_frames_survive_any_cut(self):
        sent = [(channel.Kind.OUTPUT, b"abc"), (channel.Kind.INPUT, b""), (channel.Kind.EXIT, b"7"), (channel.Kind.ERRORS, bytes(5000))]
        stream = b"".join(channel.frame(kind, payload) for kind, payload in sent)
        for piece in (1, 2, 3, 5, 7, 4096, len(stream)):
            decoder, seen = channel.Decoder(), []
            for start in range(0, len(stream), piece):
                seen += decoder.feed(stream[start:start + piece])
            self.assertEqual(seen, sent, piece)

    def test_the_initramfs_is_one(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cpio", "-i", "-d", "--quiet"], input=bed.own_programs(), cwd=folder, check=True)
            self.assertTrue(os.access(Path(folder) / "init", os.X_OK))
            for path in (TOOL / "dom0" / "agent.py", TOOL / "channel.py"):
                self.assertEqual((Path(folder) / "bed" / path.name).read_bytes(), path.read_bytes())


class Missing(unittest.TestCase):
    def test_without_qemu_the_suite_is_skipped_by_name(self):
        done = tool("--qemu", "no-such-qemu", "--skip", "true")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^1\.\.0 # SKIP no-such-qemu is not installed .*install-deps")

    def test_without_an_image_the_suite_is_skipped_by_name(self):
        done = tool("--qemu", "true", "--image", "/nonexistent", "--skip", "true")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^1\.\.0 # SKIP the image .* is not there .*devtool xen-testbed")

    def test_a_command_is_not_skipped_but_fails(self):
        done = tool("--qemu", "no-such-qemu", "true")
        self.assertEqual(done.returncode, 125)
        self.assertIn("no-such-qemu is not installed", done.stderr)

    def test_a_machine_that_ends_is_reported_with_its_last_words(self):
        with tempfile.TemporaryDirectory() as folder:
            image, qemu = Path(folder), Path(folder) / "qemu"
            for name in ("versions", "initrd.gz", "xen", "vmlinux", "root.img"):
                (image / name).write_bytes(b"")
            qemu.write_text("#!/bin/sh\necho it has no CPU >&2\nexit 1\n")
            qemu.chmod(0o755)
            done = tool("--qemu", qemu, "--image", image, "true", TMPDIR=folder)
            self.assertEqual(done.returncode, 125)
            self.assertIn("has ended", done.stderr)
            self.assertIn("it has no CPU", done.stderr)
            self.assertEqual([path.name for path in image.iterdir() if path.name.startswith("xen-testbed-")], [])


class Folders(unittest.TestCase):
    def test_none_lies_below_another_and_none_hides_the_system(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "below").mkdir()
            paths = [path for _, path in surroundings.shared_folders([folder, f"{folder}/below", "/usr", "/"])]
            self.assertIn(str(Path(folder).resolve()), paths)
            self.assertTrue(any(TOP.is_relative_to(path) for path in paths))
            self.assertFalse({"/", "/usr", f"{folder}/below"} & set(paths))


class Runner(unittest.TestCase):
    def run_program(self, form, text, status=0):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "program.py"
            program.write_text(f"print({text!r})\nraise SystemExit({status})\n")
            done = subprocess.run([sys.executable, TOP / "tests/xen/run.py", f"{form}:it:{program}"], capture_output=True, text=True,
                                  check=False, timeout=60)
        lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
        return done.returncode, lines

    def test_tap_cases_are_renumbered_under_the_programs_name(self):
        self.assertEqual(self.run_program("tap", "ok 1 - a\nnot ok 2 - b\n1..2", 1), (1, ["ok 1 - it: a", "not ok 2 - it: b", "1..2"]))

    def test_googletest_cases_count_once(self):
        text = "[ RUN      ] A.b\n[       OK ] A.b (3 ms)\n[  FAILED  ] A.c (0 ms)\n[  SKIPPED ] A.d (0 ms)\n[  FAILED  ] A.c"
        self.assertEqual(self.run_program("gtest", text, 1),
                         (1, ["ok 1 - it: A.b", "not ok 2 - it: A.c", "ok 3 - it: A.d # SKIP", "1..3"]))

    def test_a_program_that_dies_or_says_nothing_fails(self):
        self.assertEqual(self.run_program("tap", "ok 1 - a", 3)[0], 1)
        self.assertEqual(self.run_program("gtest", "nothing")[0], 1)

    def test_a_program_may_be_skipped(self):
        self.assertEqual(self.run_program("exit", "", 77), (0, ["ok 1 - it: runs # SKIP", "1..1"]))
        self.assertEqual(self.run_program("tap", "1..0 # SKIP no reason"), (0, ["ok 1 - it: all # SKIP no reason", "1..1"]))


if __name__ == "__main__":
    harness.main()
