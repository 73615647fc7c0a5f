#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""xl where its surroundings are not as usual: pipes closed early, full disks, no HOME, directories of others."""
import os
import shutil
import subprocess
import unittest

from cli_test import PATIENCE, XL, XLD, CliTest


class EnvironmentTest(CliTest):
    def test_a_pipe_that_is_closed_early(self):
        self.ok("create", "guest.cfg")
        for words in "help --long", "metrics", "list -l", "events":
            done = subprocess.run(["bash", "-c", f"'{XL}' {words} | head -1; exit ${{PIPESTATUS[0]}}"], env=self.env,
                                  cwd=self.dir, capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertIn(done.returncode, (0, 141), words)  # 141: SIGPIPE, in silence
            self.assertEqual((len(done.stdout.splitlines()), done.stderr), (1, ""), words)

    def test_output_that_cannot_be_written_is_an_error(self):
        for redirection in ">/dev/full", ">&-":
            done = subprocess.run(["bash", "-c", f"'{XL}' help {redirection}"], env=self.env, cwd=self.dir,
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertEqual((done.returncode, done.stderr),
                             (1, "xl: error: not everything could be written to standard output\n"), redirection)

    def test_an_empty_environment(self):
        self.env = {"XLD": XLD, "XL_RUNTIME_DIR": self.dir + "/run"}
        self.ok("create", "guest.cfg")
        self.assertIn("guest", self.ok("list"))

    def test_a_directory_that_is_not_there_any_more(self):
        os.mkdir(self.dir + "/gone")
        done = subprocess.run(["bash", "-c", f"cd gone; rmdir ../gone; '{XL}' create ../guest.cfg; '{XL}' list"],
                              env=self.env, cwd=self.dir, capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"^xl: error: .*No such file or directory; look at the path\n$")

    def test_a_runtime_directory_that_cannot_be(self):
        for path in "/proc/xl", "/dev/null/xl":
            self.assertRegex(self.refused(self.xl("list", env={"XL_RUNTIME_DIR": path}).returncode, "list",
                                          env={"XL_RUNTIME_DIR": path}), "; set XL_RUNTIME_DIR to ")

    @unittest.skipIf(os.geteuid() != 0, "only root can be another user")
    def test_another_users_xld(self):
        copy = self.dir + "/xl"
        shutil.copy(XL, copy)  # where anybody may execute it
        self.ok("daemon", "start")
        os.chmod(self.dir, 0o755)
        done = subprocess.run([copy, "list"], env=self.env, cwd="/", capture_output=True, text=True, timeout=PATIENCE,
                              user="nobody", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stderr, f"xl: error: '{self.dir}/run/xld.sock' is not this user's: there is no permission to "
                                      "connect to it; be the user whose xld that is, or set XL_RUNTIME_DIR to a directory "
                                      "of your own\n")


if __name__ == "__main__":
    unittest.main(argv=["environment_test"])
