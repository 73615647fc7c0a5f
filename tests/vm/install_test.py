#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `meson install` puts somewhere else runs from there."""
import subprocess
import unittest
import harness


class Install(unittest.TestCase):
    def test_installed_tree_runs(self):
        machine = harness.Machine()
        try:
            root = machine.directory / "root"
            subprocess.run(["meson", "install", "-C", harness.BUILD, "--no-rebuild", "--quiet", "--destdir", root],
                           check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            installed = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
            prefix = next(path for path in installed if path.endswith("bin/xl")).removesuffix("bin/xl")
            for path in ("libexec/xl/xld", "libexec/xl/hypervisor.elf", "share/man/man1/xl.1", "share/man/man5/xl.cfg.5",
                         "share/man/man8/xld.8", "lib/systemd/system/xld.service", "share/xl++/openapi.yaml",
                         "include/xl++/libxl++/api/client.hpp"):
                self.assertIn(prefix + path, installed)
            self.assertTrue([path for path in installed if path.endswith("/xlpp/py.typed")])
            machine.xl_path = root / prefix / "bin/xl"
            result = machine.xl("create", "-c", *machine.configuration(harness.GUESTS / "hello.elf"))
            self.assertIn("PASS hello", result.stdout)
            with open(f"/proc/{machine.status()['pid']}/cmdline", encoding="utf-8") as command:
                self.assertIn(str(root), command.read())
        finally:
            machine.close()


if __name__ == "__main__":
    harness.main()
