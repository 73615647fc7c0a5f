#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""xl doctor on machines that lack something, with the real xld. QEMU is a script that answers as QEMU does; the start of
the hypervisor is tried where there is a real one."""
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

XL, XLD = (os.path.abspath(path) for path in sys.argv[1:3])
QEMU = shutil.which("qemu-system-x86_64")
PATIENCE = 60
SCRIPT = """#!/bin/sh
case "$1 $2" in
"--version ") echo "QEMU emulator version {version}" ;;
"-machine help") echo "{machines} microvm (i386)" ;;
"-accel help") echo "tcg" ;;
"-cpu help") echo "  npt svm vgif" ;;
*) echo "this one starts nothing" >&2; exit 1 ;;
esac
"""


class DoctorTest(unittest.TestCase):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="xl-doctor-test-"))
        (self.dir / "tmp").mkdir()
        self.env = {"PATH": "/usr/bin:/bin", "XLD": XLD, "XL_RUNTIME_DIR": f"{self.dir}/run", "TMPDIR": f"{self.dir}/tmp",
                    "XLD_MEMORY_MIB": "64"}
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                self.env[name] = value

    def tearDown(self):
        self.xl("daemon", "stop", "--all")
        shutil.rmtree(self.dir)

    def qemu(self, version="7.2.22", machines="", text=SCRIPT):
        path = self.dir / "qemu"
        path.write_text(text.format(version=version, machines=machines))
        path.chmod(0o755)
        return str(path)

    def xl(self, *words, env={}, limits=(), user=None):
        def prepare():
            for limit, value in limits:
                resource.setrlimit(limit, (value, value))
        return subprocess.run([XL, *words], env={**self.env, **env}, cwd="/", text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=prepare, user=user)

    def doctor(self, **more):
        """The checks by name; the plain form has to say the same."""
        done = self.xl("doctor", "--json", **more)
        report = json.loads(done.stdout)
        failed = [check for check in report["checks"] if check["status"] == "failed"]
        self.assertEqual((done.returncode, report["fit"]), (1, False) if failed else (0, True), done.stdout)
        if failed:
            plural = "check" if len(failed) == 1 else "checks"
            self.assertEqual(done.stderr, f"xl: error: this machine cannot run domains yet: {len(failed)} {plural} failed\n")
        for check in report["checks"]:
            self.assertTrue(check["detail"], check)
            self.assertEqual(bool(check["cure"]), check["status"] in ("failed", "warning"), check)
        return {check["name"]: check for check in report["checks"]}

    def failing(self, name, **more):
        check = self.doctor(**more)[name]
        self.assertEqual(check["status"], "failed", check)
        return check["detail"] + "; " + check["cure"]

    @unittest.skipUnless(QEMU, "there is no QEMU")
    def test_this_machine(self):
        checks = self.doctor()
        self.assertEqual([check for check in checks.values() if check["status"] == "failed"], [])
        self.assertIn("the hypervisor starts, in ", checks["start"]["detail"])
        done = self.xl("doctor")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(done.stdout.endswith("\nThis machine can run domains.\n"), done.stdout)
        for name, check in checks.items():
            self.assertRegex(done.stdout, rf"(?m)^{check['status']} +{name} ")
        self.assertEqual(os.listdir(self.dir / "tmp"), [])
        self.assertFalse(os.path.exists(self.dir / "run"))

    @unittest.skipUnless(QEMU, "there is no QEMU")
    def test_beside_a_daemon_that_serves(self):
        self.assertEqual(self.xl("daemon", "start").returncode, 0)
        checks = self.doctor()
        self.assertIn("xld runs as process ", checks["daemon"]["detail"])
        self.assertEqual(self.xl("daemon", "status").returncode, 0)

    def test_without_qemu(self):
        os.mkdir(self.dir / "empty")
        self.assertIn("qemu-system-x86_64 is not in PATH; install it with: apt install qemu-system-x86",
                      self.failing("QEMU", env={"PATH": f"{self.dir}/empty"}))
        checks = self.doctor(env={"XL_QEMU": "/nonexistent"})
        self.assertIn("'/nonexistent'", checks["QEMU"]["detail"])
        self.assertEqual(checks["start"]["status"], "skipped")

    def test_a_qemu_that_will_not_do(self):
        self.assertIn("does not run: broken", self.failing("QEMU", env={
            "XL_QEMU": self.qemu(text="#!/bin/sh\necho broken; exit 3\n")}))
        checks = self.doctor(env={"XL_QEMU": self.qemu()})
        self.assertEqual(checks["QEMU"]["status"], "ok")
        self.assertIn("version 7.2.22", checks["QEMU"]["detail"])
        self.assertEqual(checks["start"]["status"], "failed")
        self.assertIn("this one starts nothing", checks["start"]["detail"])
        checks = self.doctor(env={"XL_QEMU": self.qemu(version="4.2.1", text=SCRIPT.replace(" microvm ", " pc "))})
        self.assertEqual((checks["QEMU"]["status"], checks["QEMU machine"]["status"]), ("warning", "failed"))
        self.assertIn("does not name microvm", checks["QEMU machine"]["detail"])
        self.assertIn("vgif", self.failing("QEMU CPU", env={"XL_QEMU": self.qemu(text=SCRIPT.replace(" vgif", ""))}))

    def test_without_xld(self):
        self.assertIn("'/nonexistent/xld'", self.failing("xld", env={"XLD": "/nonexistent/xld"}))
        broken = self.dir / "xld"
        broken.write_text("#!/bin/sh\necho 'error while loading shared libraries: libx.so' >&2\nexit 127\n")
        broken.chmod(0o755)
        self.assertIn("loading shared libraries: libx.so", self.failing("xld", env={"XLD": str(broken)}))
        broken.write_text("#!/bin/sh\necho '{\"version\":\"0.0.1\",\"checks\":[]}'\n")
        self.assertIn("version 0.0.1, ", self.failing("xld", env={"XLD": str(broken)}))
        broken.write_text("#!/bin/sh\necho nonsense\n")
        self.assertIn("not JSON", self.failing("xld", env={"XLD": str(broken)}))
        self.assertIn("bogus", self.failing("xld", env={"XLD_LOG_LEVEL": "bogus"}))

    def test_directories(self):
        fake = {"XL_QEMU": self.qemu()}
        (self.dir / "open").mkdir()
        (self.dir / "open").chmod(0o777)
        self.assertIn("not this user's alone", self.failing("runtime directory", env={
            **fake, "XL_RUNTIME_DIR": f"{self.dir}/open"}))
        (self.dir / "file").write_text("")
        self.assertIn("is not a directory", self.failing("runtime directory", env={
            **fake, "XL_RUNTIME_DIR": f"{self.dir}/file"}))
        self.assertIn("set TMPDIR", self.failing("temporary files", env={**fake, "TMPDIR": f"{self.dir}/none"}))

    def test_a_directory_that_cannot_be_written_to(self):
        if os.geteuid() == 0:
            where, user = "/proc/xl", None  # even root makes nothing there
        else:
            where, user = "/xl", None
        self.assertIn("set XL_RUNTIME_DIR", self.failing("runtime directory", user=user, env={
            "XL_QEMU": self.qemu(), "XL_RUNTIME_DIR": where}))

    def test_limits(self):
        fake = {"XL_QEMU": self.qemu()}
        self.assertIn("at most 64; raise RLIMIT_NOFILE", self.failing(
            "open files", env=fake, limits=[(resource.RLIMIT_NOFILE, 64)]))
        self.assertEqual(self.doctor(env=fake, limits=[(resource.RLIMIT_NOFILE, 512)])["open files"]["status"], "warning")
        self.assertIn("files are limited to 8 MiB, 64 MiB are needed", self.failing(
            "memory file", env=fake, limits=[(resource.RLIMIT_FSIZE, 8 << 20)]))

    def test_address_space(self):
        if any(name.endswith("SAN_OPTIONS") for name in os.environ):
            self.skipTest("sanitizers take all of it")
        self.assertIn("`ulimit -v unlimited`", self.failing("address space", env={
            "XL_QEMU": self.qemu()}, limits=[(resource.RLIMIT_AS, 1 << 30)]))

    def test_little_memory(self):
        check = self.doctor(env={"XL_QEMU": self.qemu(), "XLD_MEMORY_MIB": str(1 << 22)})["memory"]
        self.assertEqual(check["status"], "warning")
        self.assertRegex(check["detail"], r"^\d+ MiB available.*, domains may have 4194304 MiB in all$")
        self.assertRegex(check["cure"], r"XLD_MEMORY_MIB=\d+ before xld starts makes it less$")

    def test_no_permission(self):
        path = self.qemu()
        os.chmod(path, 0o644)
        self.assertIn("is not an executable file; name one that can be", self.failing("QEMU", env={"XL_QEMU": path}))
        if os.geteuid() != 0:
            self.skipTest("only root can be another user")
        os.chmod(self.dir, 0o755)
        try:
            self.xl("version", user="nobody")
        except PermissionError:
            self.skipTest("the build tree is root's alone")
        os.mkdir(self.dir / "run", 0o700)  # root's
        self.assertIn("set XL_RUNTIME_DIR", self.failing("runtime directory", user="nobody", env={"XL_QEMU": self.qemu()}))

    def test_each_line_of_the_plain_form_has_its_cure(self):
        env = {"XL_QEMU": "/nonexistent", "TMPDIR": f"{self.dir}/tmp"}
        checks = self.doctor(env=env)
        lines = self.xl("doctor", env=env).stdout.splitlines()
        for name, check in checks.items():
            line = next(line for line in lines if line.startswith(f"{check['status']:8} {name} "))
            self.assertTrue(line.endswith(check["cure"]), line)

    def test_an_impossible_machine(self):
        checks = self.doctor(env={"XL_QEMU": QEMU or self.qemu(), "XLD_CPUS": "200"})
        self.assertIn("200 CPUs for the hypervisor: at most 32", checks["start"]["detail"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
