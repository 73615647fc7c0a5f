#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The CI examples: their YAML is what its host reads, and their own lines boot a domain here."""
import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

import harness

try:
    import yaml
except ImportError:
    yaml = None

TREE = Path(__file__).parents[2]
EXAMPLES = TREE / "examples" / "ci"
PATIENCE = 300


def load(name):
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def github_job():
    return load("github-actions.yml")["jobs"]["boot"]


def gitlab_jobs():
    """The jobs with what they extend, without the hidden ones."""
    file = load("gitlab-ci.yml")
    return {name: file[job["extends"]] | job for name, job in file.items() if not name.startswith(".")}


@unittest.skipIf(yaml is None, "no python3-yaml")
class Forms(unittest.TestCase):
    """As far as the two hosts' own schemas ask for it."""

    def test_github(self):
        file = load("github-actions.yml")
        self.assertEqual(set(file), {"name", True, "jobs"})  # YAML 1.1 reads `on` as true, and so do all who check workflows
        self.assertEqual(set(github_job()), {"runs-on", "container", "env", "steps"})
        for step in github_job()["steps"]:
            self.assertEqual(("run" in step) + ("uses" in step), 1, step)
            self.assertLessEqual(set(step), {"name", "id", "if", "run", "uses"})
        ids = [step["id"] for step in github_job()["steps"] if "id" in step]
        self.assertEqual(ids, ["guest-ramdisk", "guest-xl", "guest-python"])

    def test_gitlab(self):
        self.assertEqual(list(gitlab_jobs()), ["boot-with-xl", "boot-with-python"])
        for job in gitlab_jobs().values():
            self.assertLessEqual(set(job), {"extends", "image", "variables", "before_script", "cache", "script", "artifacts"})
            for line in job["before_script"] + job["script"]:
                self.assertIsInstance(line, str)  # `key: value` inside a line would make a mapping of it
            self.assertTrue(all(isinstance(value, str) for value in job["variables"].values()))

    def test_what_they_install_with_is_there(self):
        installing = [step["run"] for step in github_job()["steps"] if "run" in step and "id" not in step]
        installing += [line for job in gitlab_jobs().values() for line in job["before_script"]]
        known = subprocess.run([TREE / "devtool", "help"], check=True, capture_output=True, text=True).stdout
        commands = set(re.findall(r"\./devtool (\w+)", "\n".join(installing)))
        self.assertEqual(commands, {"build", "fetch"})
        for command in commands:
            self.assertRegex(known, rf"(?m)^  {command} ")


@unittest.skipIf(yaml is None, "no python3-yaml")
@unittest.skipUnless(harness.KERNEL.exists() and shutil.which("cpio"), "no Debian kernel or no cpio; devtool fetches both")
class Runs(unittest.TestCase):
    """Where the job has its checkout, the test has a folder with the tree's examples in it."""

    def setUp(self):
        self.machine = harness.Machine()
        self.addCleanup(self.machine.close)
        self.checkout = self.machine.directory / "checkout"
        self.checkout.mkdir()
        (self.checkout / "examples").symlink_to(TREE / "examples")

    def run_lines(self, lines, variables):
        """As both hosts do it: one shell, which ends at the first line that fails."""
        for name in variables:
            self.assertIn(name, ("KERNEL", "BUSYBOX"))
        environment = self.machine.environment | {
            "PATH": f"{harness.XL.parent}:{os.environ['PATH']}", "PYTHONPATH": str(TREE / "python"),
            "KERNEL": str(harness.KERNEL), "BUSYBOX": str(harness.FETCHED / "busybox")}
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", "\n".join(lines)], cwd=self.checkout, env=environment,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              check=False)
        self.assertEqual(done.returncode, 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        self.assertRegex(done.stdout, r"(?m)^RESULT: pass on Linux ")
        self.assertEqual(self.machine.domains(), [])

    def test_github(self):
        steps = {step["id"]: step["run"] for step in github_job()["steps"] if "id" in step}
        for boot in "guest-xl", "guest-python":
            self.run_lines([steps["guest-ramdisk"], steps[boot]], github_job()["env"])

    def test_gitlab(self):
        for job in gitlab_jobs().values():
            self.run_lines(job["script"], job["variables"])

    def test_a_test_that_fails_fails_the_job(self):
        init = self.machine.directory / "init"
        init.write_text((EXAMPLES / "init").read_text(encoding="utf-8").replace("= xen ]", "= none ]"), encoding="utf-8")
        for job in gitlab_jobs().values():
            lines = [line.replace("examples/ci/init", str(init)) for line in job["script"]]
            with self.assertRaisesRegex(AssertionError, "RESULT: fail"):
                self.run_lines(lines, job["variables"])
            self.assertEqual(self.machine.domains(), [])


if __name__ == "__main__":
    harness.main()
