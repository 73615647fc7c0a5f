#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line as a user meets it: xl itself, a daemon that it starts, the fake hypervisor."""
import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import fake  # noqa: E402

XL, XLD = (os.path.abspath(path) for path in sys.argv[1:3])
PATIENCE = 60


class CliTest(unittest.TestCase):
    guest = "idle"

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="xl-cli-")
        self.env = fake.environment(self.dir, XLD, XLD_FAKE_GUEST=self.guest)
        Path(self.dir, "kernel").write_bytes(fake.kernel())
        Path(self.dir, "guest.cfg").write_text(fake.CONFIG)

    def tearDown(self):
        self.xl("daemon", "stop", "--all")
        subprocess.run(["rm", "-r", self.dir], check=True)

    def xl(self, *words, env={}, **more):
        return subprocess.run([XL, *words], env={**self.env, **env}, cwd=self.dir, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, capture_output=True, **more)

    def ok(self, *words, **more):
        done = self.xl(*words, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout

    def refused(self, status, *words, **more):
        """The one error line."""
        done = self.xl(*words, **more)
        self.assertEqual(done.returncode, status, done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("xl: error: "), lines[0])
        return lines[0][len("xl: error: "):]


class CommandsTest(CliTest):
    def test_a_domains_life(self):
        self.assertEqual(self.ok("create", "guest.cfg"), "")
        rows = self.ok("list").splitlines()
        self.assertEqual(rows[0], "Name                                        ID   Mem VCPUs\tState\tTime(s)")
        self.assertRegex(rows[1], r"^Domain-0 {37}0 +\d+ +\d+     r-----  +\d+\.\d$")
        self.assertRegex(rows[2], r"^guest {40}1     8     1     [-r][-b]----  +\d+\.\d$")
        self.assertEqual(self.ok("domid", "guest"), "1\n")
        self.assertEqual(self.ok("domname", "1"), "guest\n")
        self.ok("pause", "guest")
        self.assertIn("--p---", self.ok("list", "guest"))
        self.ok("unpause", "guest")
        self.assertNotIn("--p---", self.ok("list", "guest"))
        self.ok("rename", "guest", "other")
        self.assertEqual([(d["domid"], d["config"]["c_info"]["name"]) for d in json.loads(self.ok("list", "-l"))],
                         [(0, "Domain-0"), (1, "other")])
        self.assertRegex(self.ok("list", "-v", "other"), r"[0-9a-f-]{36}        -                -\n$")
        self.assertRegex(self.ok("vm-list"), r"^UUID +ID    name\n[0-9a-f-]{36}  0    Domain-0 *\n[0-9a-f-]{36}  1    other *\n$")
        self.assertRegex(self.ok("uptime", "other"), r"^Name +ID Uptime\nother +1  0:00:\d\d\n$")
        self.assertRegex(self.ok("uptime", "-s", "other"), r"^ \d\d:\d\d:\d\d up  0:00, other \(1\)\n$")
        self.ok("destroy", "other")
        self.assertEqual(len(self.ok("list").splitlines()), 2)

    def test_info(self):
        keys = dict(re.split(r" *: ?", line, maxsplit=1) for line in self.ok("info").splitlines())
        for key in ("host release version machine nr_cpus max_cpu_id nr_nodes cores_per_socket threads_per_core cpu_mhz "
                    "hw_caps virt_caps total_memory free_memory sharing_freed_memory sharing_used_memory "
                    "outstanding_claims free_cpus xen_major xen_minor xen_extra xen_version xen_caps xen_scheduler "
                    "xen_pagesize platform_params xen_changeset xen_commandline cc_compiler cc_compile_by "
                    "cc_compile_domain cc_compile_date build_id xend_config_format").split():
            self.assertIn(key, keys)
        self.assertEqual(keys["host"], os.uname().nodename)
        self.assertEqual(self.ok("info", "total_memory"), keys["total_memory"] + "\n")
        self.assertIn("no key 'nothing'", self.refused(2, "info", "nothing"))

    def test_create_options(self):
        self.ok("create", "-p", "guest.cfg", "name=paused")
        self.assertIn("--p---", self.ok("list", "paused"))
        self.ok("create", "-q", "/dev/null", "name=bare", "kernel=" + self.dir + "/kernel", "memory=8")
        self.assertEqual(json.loads(self.ok("create", "-n", "guest.cfg"))["c_info"]["type"], "pvh")
        self.assertIn("kernel segment 0", self.xl("-v", "create", "-n", "guest.cfg").stderr.lower())
        self.assertIn("did you mean 'vcpus'", self.xl("create", "-n", "guest.cfg", "vcpu=4").stderr)
        strict = self.xl("create", "-n", "--strict", "guest.cfg", "vcpu=4")
        self.assertIn("error: 'vcpu' is not supported: unknown key", strict.stderr)
        self.assertEqual((strict.returncode, strict.stdout), (3, ""))
        self.assertEqual(len(self.ok("vm-list").splitlines()), 4)
        self.assertIn("needs a value", self.refused(2, "create", "-f"))
        self.assertIn("second config file", self.refused(2, "create", "guest.cfg", "other.cfg"))
        self.assertIn("no config file", self.refused(2, "create", "name=x"))
        self.assertIn("paused", self.refused(1, "create", "guest.cfg", "name=paused"))
        self.assertIn("none.cfg", self.refused(4, "create", "none.cfg"))

    def test_global_options(self):
        self.ok("-ftT", "list")
        plain = self.ok("create", "-n", "guest.cfg")
        self.assertEqual(self.ok("-N", "create", "guest.cfg"), plain)
        verbose = [self.xl("-vN", "create", "guest.cfg"), self.xl("-v", "create", "-n", "guest.cfg")]
        self.assertEqual(verbose[0].stderr, verbose[1].stderr)
        self.assertEqual(verbose[0].stdout, plain)
        self.assertEqual(len(self.ok("vm-list").splitlines()), 2)
        stamped = self.xl("-T", "pause", "none").stderr
        self.assertRegex(stamped, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ \[\d+\] xl: error: .*\n$")

    def test_a_wrong_config_is_shown_as_it_is(self):
        with open(self.dir + "/wrong.cfg", "w") as file:
            file.write("name = 'a'\nmemory = [\n")
        done = self.xl("create", "wrong.cfg")
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, r"^wrong\.cfg:\d+:\d+: error: ")
        self.assertIn("\n    memory = [\n", done.stderr)

    def test_binary_configs_are_refused(self):
        for content in (os.urandom(10000), b"\0" * 100, b"#" * 3_000_000, b"[" * 20000):
            with open(self.dir + "/binary.cfg", "wb") as file:
                file.write(content)
            done = subprocess.run([XL, "create", "binary.cfg"], env=self.env, cwd=self.dir, capture_output=True,
                                  timeout=PATIENCE)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertTrue(done.stderr.startswith(b"binary.cfg"), done.stderr[:100])

    def test_usage_errors(self):
        self.assertIn("no command", self.refused(2))
        self.assertIn("may mean domid, domname", self.refused(2, "do", "x"))
        self.assertIn("there is no command 'nonsense'", self.refused(2, "nonsense"))
        self.assertIn("global option '-x'", self.refused(2, "-x", "list"))
        self.assertIn("global option '-x'", self.refused(2, "-vx", "list"))
        self.assertIn("pause: it takes no -N", self.refused(2, "-N", "pause", "guest"))
        self.assertIn("pause: an argument is missing", self.refused(2, "pause"))
        self.assertIn("no option '-z'", self.refused(2, "list", "-z"))
        for command in "domid domname destroy pause unpause console list uptime".split():
            self.assertIn("'none'", self.refused(4, command, "none"))

    def test_help_starts_nothing(self):
        for words in (["help"], ["-h"], ["help", "create"], ["create", "--help"], ["version"]):
            self.assertTrue(self.ok(*words))
        self.assertFalse(os.path.exists(self.dir + "/run"))
        self.assertEqual(self.ok("help", "create"), self.ok("create", "-h"))

    def test_dmesg_and_inspect(self):
        self.ok("dmesg", "-c")
        self.assertEqual(self.ok("dmesg"), "")
        self.assertIn("boots as:      PVH\n", self.ok("inspect", "kernel"))
        self.assertEqual(json.loads(self.ok("inspect", "--json", "kernel"))["boot_abis"], ["PVH"])

    def test_a_full_standard_output_is_an_error(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([XL, "help"], env=self.env, stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)


class DaemonTest(CliTest):
    def test_start_status_stop(self):
        self.refused(5, "daemon", "status")
        self.assertFalse(os.path.exists(self.dir + "/run"))
        self.ok("daemon", "stop")  # nothing to do
        self.ok("daemon", "start")
        self.ok("daemon", "start")
        status = json.loads(self.ok("daemon", "status", "--json"))
        self.assertEqual(status["socket"], self.dir + "/run/xld.sock")
        self.assertEqual(stat.S_IMODE(os.stat(status["socket"]).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.dir + "/run").st_mode), 0o700)
        self.assertEqual(os.readlink(f"/proc/{status['pid']}/exe"), XLD)
        self.ok("create", "guest.cfg")
        self.ok("daemon", "stop")
        with self.assertRaises(FileNotFoundError):
            os.readlink(f"/proc/{status['pid']}/exe")
        self.refused(5, "daemon", "status")

    def test_many_at_once_start_one(self):
        xls = [subprocess.Popen([XL, "list"], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
               for _ in range(20)]
        self.assertEqual([(xl.wait(PATIENCE), xl.stderr.read()) for xl in xls], [(0, b"")] * 20)
        for xl in xls:
            xl.stderr.close()
        with open(self.dir + "/run/xld.log") as log:
            self.assertEqual(log.read().count(" serves "), 1)

    def test_a_daemon_that_was_killed_is_replaced(self):
        self.ok("daemon", "start")
        pid = json.loads(self.ok("daemon", "status", "--json"))["pid"]
        process = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(select.select([process], [], [], PATIENCE)[0])
        os.close(process)
        self.ok("list")

    def test_two_directories_two_daemons(self):
        other = {"XL_RUNTIME_DIR": self.dir + "/other"}
        self.ok("create", "guest.cfg")
        self.ok("create", "guest.cfg", env=other)
        self.ok("destroy", "guest")
        self.assertEqual(self.ok("domid", "guest", env=other), "1\n")
        self.ok("daemon", "stop", "--all", env=other)

    def test_a_long_path_works(self):
        long = {"XL_RUNTIME_DIR": self.dir + "/" + "d" * 120}
        self.ok("create", "guest.cfg", env=long)
        self.ok("daemon", "stop", "--all", env=long)

    def test_a_daemon_that_cannot_start_says_why(self):
        self.assertIn("missing or cannot be executed", self.refused(5, "list", env={"XLD": "/nonexistent/xld"}))
        self.assertIn("bogus", self.refused(5, "list", env={"XLD_LOG_LEVEL": "bogus"}))
        os.mkdir(self.dir + "/open")
        os.chmod(self.dir + "/open", 0o777)
        self.assertIn("not this user's alone", self.refused(5, "list", env={"XL_RUNTIME_DIR": self.dir + "/open"}))

    def test_a_second_daemon_in_a_directory_is_refused(self):
        self.ok("daemon", "start")
        done = subprocess.run([XLD, "--runtime-dir", self.dir + "/run"], capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another xld serves", done.stderr)

    def test_it_is_a_systemd_notify_service(self):
        import socket
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(self.dir + "/notify")
            notify.settimeout(PATIENCE)
            daemon = subprocess.Popen([XLD, "--runtime-dir", self.dir + "/run"], stderr=subprocess.DEVNULL,
                                      env={**self.env, "NOTIFY_SOCKET": self.dir + "/notify"})
            self.assertEqual(notify.recv(100), b"READY=1")
            daemon.terminate()
            self.assertEqual(notify.recv(100), b"STOPPING=1")
            self.assertEqual(daemon.wait(PATIENCE), 0)


class ConsoleTest(CliTest):
    """On a pseudo terminal."""

    def start(self, *words):
        main, terminal = pty.openpty()
        before = termios.tcgetattr(terminal)
        process = subprocess.Popen([XL, *words], env=self.env, cwd=self.dir, stdin=terminal, stdout=terminal,
                                   stderr=terminal, start_new_session=True)
        return main, terminal, before, process

    def read_until(self, fd, text):
        got = b""
        while text not in got:
            got += os.read(fd, 1000)
        return got

    def test_attach_and_detach_many_times(self):
        self.ok("create", "guest.cfg")
        for _ in range(5):
            main, terminal, before, process = self.start("console", "guest")
            self.read_until(main, b"Hello from domain 1\r\n")  # replayed each time
            self.assertNotEqual(termios.tcgetattr(terminal), before)
            os.write(main, b"typed\x1dnot sent")
            self.assertEqual(process.wait(PATIENCE), 0)
            self.assertEqual(termios.tcgetattr(terminal), before)
            os.close(main)
            os.close(terminal)

    def test_the_terminal_is_restored_when_killed(self):
        self.ok("create", "guest.cfg")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            main, terminal, before, process = self.start("console", "guest")
            self.read_until(main, b"Hello")
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE), -number)
            self.assertEqual(termios.tcgetattr(terminal), before)
            os.close(main)
            os.close(terminal)

    def test_the_session_ends_with_the_domain(self):
        main, terminal, before, process = self.start("create", "-c", "guest.cfg")
        self.read_until(main, b"Hello from domain 1\r\n")
        self.ok("destroy", "guest")
        self.assertEqual(process.wait(PATIENCE), 6)
        self.assertEqual(termios.tcgetattr(terminal), before)
        self.assertIn(b"was destroyed before it ended by itself", os.read(main, 1000))
        os.close(main)
        os.close(terminal)

    def test_a_detached_create_leaves_the_domain(self):
        main, terminal, _, process = self.start("create", "-c", "guest.cfg")
        self.read_until(main, b"Hello")
        os.write(main, b"\x1d")
        self.assertEqual(process.wait(PATIENCE), 0)
        self.ok("domid", "guest")
        os.close(main)
        os.close(terminal)


class PoweroffTest(CliTest):
    guest = "poweroff"

    def test_foreground_and_console(self):
        self.assertEqual(self.ok("create", "-F", "guest.cfg"), "")
        self.assertEqual(self.ok("create", "-c", "guest.cfg"), "Hello from domain 2\r\n".replace("\r\n", "\n"))
        self.assertEqual(len(self.ok("list").splitlines()), 2)

    def test_preserved_domains_end_the_wait_too(self):
        self.ok("create", "-F", "guest.cfg", "on_poweroff=preserve")
        self.assertIn("---s", self.ok("list", "guest"))
        self.ok("destroy", "guest")
        self.ok("create", "-e", "guest.cfg")
        self.assertIn("Hello", self.ok("create", "-c", "guest.cfg", "name=b", "on_poweroff=preserve"))


class CrashTest(CliTest):
    guest = "crash"

    def test_the_error_carries_the_last_line(self):
        for option in "-F", "-c":
            error = self.refused(6, "create", option, "guest.cfg")
            self.assertRegex(error, r"^domain 'guest' crashed; the last line on its console was: Hello from domain \d")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
