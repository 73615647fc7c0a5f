#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What follows the end of our domains on Xen, and that what a guest said last is heard."""
import json
import os
import re
import signal
import subprocess
from pathlib import Path
import host
from host import ours, stock
from together import Together, flags, state, talk, traces

HELLO = re.compile(r"\Ahello from a .*\n.*\n.*\nPASS hello\n\Z")


class LastWords(Together):
    """Guests that end as soon as they have started: before xenconsoled has made a pty for them."""

    def shown(self, name, **keys):
        return ours("create", "-c", host.tiny(name, **keys)).stdout.replace("\r", "")

    def test_create_with_the_console(self):
        before = traces()
        for name in ("one", "two", "three"):
            self.assertRegex(self.shown(name, guest="hello"), HELLO)
            self.assertIn("PASS hello", host.console_log(name))
            self.assertRegex(ours("events").stdout, rf"ended .* {name} .*last_line='PASS hello'")
        self.expect_traces(before)

    def test_create_with_the_console_of_one_that_is_kept(self):
        self.assertRegex(self.shown("kept", guest="hello", on_poweroff="preserve"), HELLO)
        self.assertEqual(flags(stock, "kept")[3], "s")
        ours("destroy", "kept")

    def test_create_with_the_consoles_of_all_lives(self):
        path = host.tiny("lives", guest="crash", extra="reboot", on_reboot="restart")
        with subprocess.Popen([host.XL, "create", "-c", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as shows:
            for _ in range(2):
                self.assertEqual(shows.stdout.readline(), "crash: the last words\n")
            ours("destroy", "lives")
            self.assertIn(shows.stdout.read(), ("", "crash: the last words\n"))

    def test_the_console_of_one_that_is_kept(self):
        for xl in (ours, stock):
            self.make(ours, "kept", guest="hello", on_poweroff="preserve")
            host.wait_until(lambda: flags(stock, "kept")[3:4] == "s", "it is kept")
            talk(xl, "kept", None, "PASS hello")
            ours("destroy", "kept")

    def test_the_console_of_one_that_ends(self):
        for xl in (ours, stock):
            self.make(ours, "ends", guest="echo")
            talk(xl, "ends", "quit", "PASS")
            self.expect_gone("ends")

    def test_the_log_without_anybody_attached(self):
        self.make(ours, "short", guest="hello")
        self.expect_gone("short")
        self.assertIn("PASS hello", host.console_log("short"))


class Ends(Together):
    """What the actions do."""

    def end(self, name, how, **keys):
        return self.make(ours, name, guest="crash", extra=how, **keys)

    def test_preserve(self):
        for how, key in (("poweroff", "on_poweroff"), ("shutdown", "on_crash")):
            name = f"kept-{how}"
            domid = self.end(name, how, **{key: "preserve"})
            host.wait_until(lambda: flags(stock, name)[3:4] == "s", "it is kept")
            self.assertEqual(state(stock, name)[0], str(domid))
            self.assertEqual(flags(ours, name), flags(stock, name))
            ours("destroy", name)

    def test_restart(self):
        before = traces()
        for name in (f"again-{number}-{os.getpid()}" for number in range(2)):
            ours("create", host.tiny(name, guest="crash", extra="reboot", on_reboot="restart"))
            self.expect_lives(name, 2)
            ours("destroy", name)  # at any moment, also while it is just being made anew
            self.expect_gone(name)
            said = len(re.findall("crash: the last words", host.console_log(name)))
            self.assertIn(said, (self.lives(name) - 1, self.lives(name)))  # the last one may not have come to it
        self.expect_traces(before)

    def test_rename_restart(self):
        before = traces()
        ours("create", host.tiny("phoenix", guest="crash", extra="shutdown", on_crash="rename-restart"))
        kept = re.compile(r"phoenix-\d{8}T\d{4}Z(-\d)?")
        host.wait_until(lambda: len(list(filter(kept.fullmatch, host.domains()))) == 2, "two are kept under other names", 30)
        ours("destroy", "phoenix")
        for name in filter(kept.fullmatch, host.domains()):
            self.assertEqual(flags(stock, name)[3:5], "sc")
            self.assertEqual(flags(ours, name), flags(stock, name))
            ours("destroy", name)
        self.assertEqual([name for name in host.domains() if name.startswith("phoenix")], [])
        self.expect_traces(before)

    def test_core_files(self):
        before = traces()
        ours("create", host.tiny("dumped", guest="crash", extra="shutdown", on_crash="coredump-destroy"))
        self.expect_gone("dumped")
        self.expect_cores("dumped", 1)
        ours("create", host.tiny("dumps", guest="crash", extra="reboot", on_reboot="coredump-restart"))
        self.expect_lives("dumps", 2)
        ours("destroy", "dumps")
        self.expect_gone("dumps")
        self.expect_cores("dumps", 1)
        self.expect_traces(before)

    def expect_cores(self, name, least):
        cores = list(Path("/var/lib/xen/dump").glob(f"{name}-*.core"))
        self.assertGreaterEqual(len(cores), least)
        for core in cores:
            self.assertIn(b"crash: the last words", core.read_bytes())
            core.unlink()

    def lives(self, name):
        return len(re.findall(rf" created +\d+  {name}$", ours("events").stdout, re.MULTILINE))

    def expect_lives(self, name, number):
        host.wait_until(lambda: self.lives(name) >= number, f"{name} has lived {number} times", 30)

    def passes(self, guest, **keys):
        self.make(ours, guest, guest=guest, **keys)
        self.expect_gone(guest)
        self.assertIn(f"PASS {guest}", host.console_log(guest))

    def test_smp(self):
        self.passes("smp", vcpus=2, extra="cpus=2")

    def test_soft_reset(self):
        before = traces()
        domid = self.make(ours, "reset", guest="softreset", on_poweroff="preserve")
        self.expect_log("reset", "PASS softreset")
        self.assertIn("round 1: ", host.console_log("reset"))
        self.assertEqual(host.domains()["reset"], domid)
        ours("destroy", "reset")
        self.expect_gone("reset")
        self.expect_traces(before)


class DaemonKilled(Together):
    """xld is killed, and another one takes over."""

    def kill(self):
        pid = self.daemon()
        os.kill(pid, signal.SIGKILL)
        host.wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "xld is gone")

    @staticmethod
    def daemon():
        return json.loads(ours("daemon", "status", "--json").stdout)["pid"]

    def test_domains_run_on(self):
        self.make(ours, "quiet")
        self.make(stock, "foreign", "-p")
        self.expect_log("quiet", "READY")
        ids, first = host.domains(), self.daemon()
        self.kill()
        self.assertEqual(host.domains(), ids)
        rows = {line.split()[0]: int(line.split()[1]) for line in ours("list").stdout.splitlines()[1:]}
        self.assertNotEqual(self.daemon(), first)
        self.assertEqual({name: rows.get(name) for name in ids}, ids)
        for name in ("quiet", "foreign"):
            ours("destroy", name)
            self.expect_gone(name)

    def test_ends_are_acted_on_by_the_next(self):
        before = traces()
        ours("create", "-p", host.tiny("short", guest="hello"))
        ours("create", "-p", host.tiny("later", guest="crash", extra="reboot", on_reboot="restart"))
        first = host.domains()["later"]
        self.kill()
        for name in ("short", "later"):
            stock("unpause", name)
        host.wait_until(lambda: [flags(stock, name)[3:4] for name in ("short", "later")] == ["s", "s"], "both have ended")
        ours("list")  # starts another one
        self.expect_gone("short")
        self.assertIn("PASS hello", host.console_log("short"))
        host.wait_until(lambda: host.domains().get("later", first) != first, "it was made anew")
        ours("destroy", "later")
        self.expect_gone("later")
        self.expect_traces(before)

    def test_in_the_middle_of_restarts(self):
        before = traces()
        ours("create", host.tiny("loop", guest="crash", extra="reboot", on_reboot="restart"))
        for _ in range(2):
            self.expect_lives_more("loop")
            self.kill()
        self.expect_lives_more("loop")
        ours("destroy", "loop")
        self.expect_gone("loop")
        self.expect_traces(before)

    def expect_lives_more(self, name):
        first = int(ours("domid", name).stdout)
        host.wait_until(lambda: int(ours("domid", name).stdout) > first, f"{name} has lived once more", 30)


if __name__ == "__main__":
    host.main()
