#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wait, events, metrics, top and the JSON listings, on the fake hypervisor."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import unittest
from pathlib import Path

from cli_test import PATIENCE, XL, CliTest

sys.path.append(str(Path(__file__).parents[1]))
import exposition  # noqa: E402

REACHED, USAGE, NOT_FOUND, ENDED, TIMEOUT = 0, 2, 4, 6, 7


class Waiting(CliTest):
    def start(self, *words):
        """A command that waits; returns once it does: it follows the events and has looked at the domain."""
        before = self.looks(words[0])
        process = subprocess.Popen([XL, *words], env=self.env, cwd=self.dir, text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while process.poll() is None and self.looks(words[0]) <= before:
            pass
        return process

    def looks(self, command):
        """What such a command asks for last, so often until now, by the daemon's own account."""
        families = exposition.families(self.ok("metrics"))
        if command == "wait":
            return sum(sample.value for sample in families["xl_api_request_seconds"].samples
                       if sample.name.endswith("_count") and sample.labels["path"] == "/v1/domains/{}")
        return sum(sample.value for sample in families["xl_api_streams"].samples
                   if sample.labels == {"path": "/v1/events"})

    def finish(self, process, status):
        output, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, status, errors)
        return output if status == REACHED else errors


class WaitTest(Waiting):
    def test_what_is_already_so(self):
        self.ok("create", "guest.cfg")
        self.assertEqual(self.ok("wait", "guest", "--for=running"), "")
        self.assertEqual(self.ok("wait", "guest", r"--for=console=^Hello from domain \d+$"), "")
        self.assertEqual(self.ok("wait", "1", "--for=running", "--timeout", "0"), "")

    def test_what_takes_too_long(self):
        self.ok("create", "-p", "guest.cfg")
        for condition in "running", "booted", "shutdown", "console=never":
            error = self.refused(TIMEOUT, "wait", "guest", "--for=" + condition, "--timeout=0.05")
            self.assertIn("'" + condition + "'", error)

    def test_usage(self):
        self.assertIn("no domain 'none'", self.refused(NOT_FOUND, "wait", "none", "--for=running"))
        self.assertIn("--for=", self.refused(USAGE, "wait", "x"))
        self.assertIn("none of", self.refused(USAGE, "wait", "x", "--for=done"))
        self.assertIn("missing )", self.refused(USAGE, "wait", "x", "--for=console=("))
        self.assertIn("not a number", self.refused(USAGE, "wait", "x", "--for=running", "-t", "soon"))

    def test_a_hostile_pattern_takes_no_time(self):
        self.ok("create", "guest.cfg")
        self.refused(TIMEOUT, "wait", "guest", "--for=console=((((.+)+)+)+)+nothing", "--timeout=0.2")

    def test_running_is_reached_by_unpause(self):
        self.ok("create", "-p", "guest.cfg")
        for_running = self.start("wait", "guest", "--for=running")
        for_text = self.start("wait", "guest", "--for=console=Hello")
        self.ok("unpause", "guest")
        self.finish(for_running, REACHED)
        self.finish(for_text, REACHED)

    def test_a_domain_that_is_destroyed(self):
        for condition in "shutdown", "booted", "console=never":
            self.ok("create", "guest.cfg")
            wait = self.start("wait", "guest", "--for=" + condition)
            self.ok("rename", "guest", "other")
            self.ok("destroy", "other")
            self.assertIn("'other' was destroyed", self.finish(wait, ENDED))

    def test_booted(self):
        self.ok("create", "guest.cfg")
        wait = self.start("wait", "guest", "--for=booted")
        self.assertFalse(json.loads(self.ok("list", "--json", "guest"))[0]["booted"])
        self.write_node("/local/domain/1/control/feature-poweroff", "1")
        self.finish(wait, REACHED)
        self.assertTrue(json.loads(self.ok("list", "--json", "guest"))[0]["booted"])
        self.ok("wait", "guest", "--for=booted", "--timeout=0")

    def write_node(self, path, value):
        """XS_WRITE by the tools' socket."""
        import socket
        with socket.socket(socket.AF_UNIX) as store:
            store.settimeout(PATIENCE)
            store.connect(self.dir + "/run/xenstored/socket")
            body = path.encode() + b"\0" + value.encode()
            store.sendall(struct.pack("<IIII", 11, 1, 0, len(body)) + body)
            self.assertEqual(struct.unpack("<IIII", store.recv(16))[0], 11)


class WaitForTheEndTest(Waiting):
    guest = "poweroff"

    def test_shutdown(self):
        self.ok("create", "-p", "guest.cfg")
        for_shutdown = self.start("wait", "guest", "--for=shutdown")
        for_boot = self.start("wait", "guest", "--for=booted")
        for_last_words = self.start("wait", "guest", "--for=console=Hello")
        self.ok("unpause", "guest")
        self.finish(for_shutdown, REACHED)
        self.assertIn("has shut down (poweroff)", self.finish(for_boot, ENDED))
        self.finish(for_last_words, REACHED)

    def test_one_that_is_kept(self):
        self.ok("create", "-F", "guest.cfg", "on_poweroff=preserve")
        self.ok("wait", "guest", "--for=shutdown", "-t", "0")
        self.ok("wait", "guest", "--for=console=Hello", "-t", "0")
        for condition in "running", "booted", "console=never":
            self.assertIn("has shut down", self.refused(ENDED, "wait", "guest", "--for=" + condition))


class WaitForACrashTest(Waiting):
    guest = "crash"

    def test_a_crash_is_no_shutdown(self):
        for condition in "shutdown", "booted":
            self.ok("create", "-p", "guest.cfg", "name=" + condition)
            wait = self.start("wait", condition, "--for=" + condition)
            self.ok("unpause", condition)
            self.assertIn(f"'{condition}' crashed", self.finish(wait, ENDED))


class EventsTest(Waiting):
    def test_recent_and_followed(self):
        self.ok("create", "-p", "guest.cfg")
        follow = self.start("events", "--follow", "--json")
        self.ok("unpause", "guest")
        self.ok("destroy", "guest")
        recent = [json.loads(line) for line in self.ok("events", "--json").splitlines()]
        self.assertEqual([event["event"] for event in recent], ["created", "unpaused", "ended"])
        self.assertEqual([event["seq"] for event in recent], sorted(event["seq"] for event in recent))
        self.assertEqual(recent[2]["end"]["action"], "destroy")
        lines = self.ok("events", "guest").splitlines()
        self.assertEqual(len(lines), 3)
        self.assertRegex(lines[2], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  ended         1  guest  "
                                   r"reason=destroyed action=destroy last_line='Hello from domain 1'$")
        self.assertEqual(self.ok("events", "other"), "")
        self.assertEqual(self.ok("events", "--json", "--after", str(recent[1]["seq"])).splitlines(),
                         [json.dumps(recent[2], separators=(",", ":"))])
        self.assertIn("not the number", self.refused(USAGE, "events", "--after=x"))
        self.ok("daemon", "stop", "--all")  # says goodbye: that ends what follows
        followed = [json.loads(line) for line in self.finish(follow, REACHED).splitlines()]
        self.assertEqual(followed, recent[1:])


class MetricsTest(CliTest):
    def test_names_survive_as_labels(self):
        self.ok("create", "guest.cfg", 'name="a-1.b_c+"')
        families = exposition.families(self.ok("metrics"))
        memory = {s.labels["name"]: s.value for s in families["xl_domain_memory_bytes"].samples}
        self.assertGreaterEqual(memory["a-1.b_c+"], 8 << 20)
        self.assertEqual(families["xl_domain_cpu_seconds"].type, "counter")


class TopTest(CliTest):
    def test_batch(self):
        self.ok("create", "guest.cfg", "name=a-rather-long-name")
        lines = self.ok("top", "-b", "-i", "2", "-d", "0.1").splitlines()
        self.assertEqual(len(lines), 6)
        self.assertEqual(lines[0].split(), "NAME STATE CPU(sec) CPU(%) MEM(k) MEM(%) MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) "
                         "NETRX(k) VBDS VBD_OO VBD_RD VBD_WR VBD_RSECT VBD_WSECT SSID".split())
        self.assertRegex(lines[1], r"^a-rather-l --b--- |^a-rather-l -----r ")
        self.assertTrue(lines[2].startswith("  Domain-0 -----r "))
        self.assertEqual(len({len(line) for line in lines}), 1)
        self.assertIn("a-rather-long-name ", self.ok("top", "-bf", "-i1"))
        look = json.loads(self.ok("top", "--json", "-i", "1"))
        self.assertEqual([domain["name"] for domain in look["domains"]], ["Domain-0", "a-rather-long-name"])
        self.assertEqual(look["domains"][1]["cpu_percent"], 0)
        self.assertIn("not a number of iterations", self.refused(USAGE, "top", "-i", "0"))

    def test_without_a_terminal(self):
        self.assertIn("not a terminal", self.refused(1, "top"))

    def start(self, *words, kind="xterm"):
        main, terminal = pty.openpty()
        self.resize(main, 24, 80)
        before = termios.tcgetattr(terminal)
        process = subprocess.Popen([XL, "top", *words], env={**self.env, "TERM": kind}, stdin=terminal,
                                   stdout=terminal, stderr=terminal, start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(os.close, main)
        self.addCleanup(os.close, terminal)
        return main, terminal, before, process

    def resize(self, fd, rows, columns):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, fd, pattern):
        got = b""
        while not re.search(pattern, got):
            self.assertTrue(select.select([fd], [], [], PATIENCE)[0], f"{pattern} in {got}")
            got += os.read(fd, 4096)
        return got

    def test_keys_and_sizes(self):
        self.ok("create", "guest.cfg")
        main, terminal, before, process = self.start("-d", "60")
        screen = self.read_until(main, rb"Q.*uit")
        self.assertIn(b"2 domains: ", screen)
        self.assertIn(b"\x1b[?1049h", screen)  # the other screen
        self.assertNotIn(b"VBD_RSECT", screen)  # cut at 80 columns
        self.resize(main, 30, 200)
        process.send_signal(signal.SIGWINCH)
        self.read_until(main, rb"VBD_RSECT")
        os.write(main, b"d")
        self.read_until(main, rb"Delay\(sec\)")
        os.write(main, b"0.1\r")
        self.read_until(main, rb"Q.*uit")
        self.ok("destroy", "guest")
        screen = b""
        while b"1 domains: " not in screen:  # after the new delay; only ^L shows the line as a whole
            os.write(main, b"\x0c")
            screen = self.read_until(main, rb"\d domains: ")
        os.write(main, b"q")
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertIn(b"\x1b[?1049l", self.read_until(main, rb"\x1b\[\?1049l"))
        self.assertEqual(termios.tcgetattr(terminal), before)

    def test_the_terminal_is_restored_by_any_end(self):
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
            main, terminal, before, process = self.start()
            self.read_until(main, rb"Q.*uit")
            self.assertNotEqual(termios.tcgetattr(terminal), before)
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE), 0)
            self.read_until(main, rb"\x1b\[\?1049l")
            self.assertEqual(termios.tcgetattr(terminal), before)

    def test_a_terminal_that_goes_away(self):
        main, terminal = pty.openpty()
        process = subprocess.Popen([XL, "top"], env={**self.env, "TERM": "xterm"}, stdin=terminal, stdout=terminal,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(process.kill)
        os.close(terminal)
        self.read_until(main, rb"Q.*uit")
        os.close(main)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_an_unknown_terminal(self):
        main, _, _, process = self.start(kind="nonsense")
        self.read_until(main, rb"'nonsense' is not known")
        self.assertEqual(process.wait(PATIENCE), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
