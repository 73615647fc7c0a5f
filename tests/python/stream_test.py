#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Waiting, consoles and events through the Python module, on the fake hypervisor."""
import sys
import threading
import time
import unittest

from fixture import PATIENCE, PythonTest, used, xlpp

from xlpp import _endpoints
from xlpp._console import LineMatcher
from xlpp._http import Chunks, Deadline, ProtocolError


class WaitTest(PythonTest):
    def test_what_is_already_so(self):
        with self.create() as domain:
            domain.wait("running", timeout=0)
            self.assertEqual(domain.wait(r"console=^Hello from domain (\d+)$", timeout=PATIENCE)[1], str(domain.domid))

    def test_what_takes_too_long(self):
        with self.create(paused=True) as domain:
            for condition in "running", "booted", "shutdown", "console=never":
                with self.assertRaises(xlpp.Timeout) as caught:
                    domain.wait(condition, timeout=0.05)
                self.assertIn(f"'{condition}'", caught.exception.message)
                self.assertEqual(bool(caught.exception.hint), condition == "booted")

    def test_what_comes_later(self):
        for condition in "running", "console=Hello":
            with self.create(paused=True) as domain:
                timer = threading.Timer(0.1, domain.unpause)
                timer.start()
                domain.wait(condition, timeout=PATIENCE)
                timer.join()

    def test_what_cannot_come(self):
        with self.create(paused=True) as domain:
            timer = threading.Timer(0.1, domain.destroy)
            timer.start()
            with self.assertRaises(xlpp.DomainEnded) as caught:
                domain.wait("booted", timeout=PATIENCE)
            self.assertIsNone(caught.exception.reason)
            timer.join()
        with self.assertRaises(xlpp.NotFound):
            domain.wait("booted")

    def test_wrong_conditions(self):
        with self.create() as domain:
            for condition in "", "run", "console=(", "Running":
                with self.assertRaises(xlpp.InvalidArgument):
                    domain.wait(condition)


class EndTest(PythonTest):
    guest = "poweroff"

    def test_shutdown(self):
        with self.create(paused=True, overrides={"on_poweroff": "preserve"}) as domain:
            timer = threading.Timer(0.1, domain.unpause)
            timer.start()
            domain.wait("shutdown", timeout=PATIENCE)
            timer.join()
            self.assertEqual(domain.info().shutdown_reason, "poweroff")
            domain.wait("shutdown", timeout=0)
            domain.wait("console=Hello", timeout=0)
            with self.assertRaises(xlpp.DomainEnded) as caught:
                domain.wait("booted", timeout=PATIENCE)
            self.assertEqual(caught.exception.reason, "poweroff")

    def test_the_end_of_a_domain_that_goes(self):
        domain = self.create(paused=True)
        timer = threading.Timer(0.1, domain.unpause)
        timer.start()
        with self.assertRaises(xlpp.DomainEnded):
            domain.wait("console=never", timeout=PATIENCE)
        timer.join()


class CrashTest(PythonTest):
    guest = "crash"

    def test_crash(self):
        with self.create(paused=True) as domain:
            timer = threading.Timer(0.1, domain.unpause)
            timer.start()
            with self.assertRaises(xlpp.DomainEnded) as caught:
                domain.wait("shutdown", timeout=PATIENCE)
            timer.join()
            self.assertEqual((caught.exception.reason, caught.exception.last_console_line.strip()),
                             ("crash", "Hello from domain 1"))


class ConsoleTest(PythonTest):
    def test_lines_to_the_end(self):
        domain = self.create()
        with domain.console() as console:
            lines = console.lines(timeout=PATIENCE)
            self.assertEqual(next(lines), "Hello from domain 1")
            console.write("typed\n")
            domain.destroy()
            self.assertEqual(list(lines), [])
            self.assertEqual(console.read(), b"")

    def test_waiting_for_text(self):
        with self.create() as domain, domain.console() as console:
            self.assertEqual(console.wait_for("Hello (from)", timeout=PATIENCE)[1], "from")
            with self.assertRaises(xlpp.Timeout):
                console.wait_for("more", timeout=0.05)
            self.assertIsNone(console.read(timeout=0))
            self.assertEqual(domain.console_text(), "Hello from domain 1\r\n")
            self.assertIn("Hello", domain.console_text(log=True))
            domain.destroy()
            with self.assertRaises(xlpp.DomainEnded):
                console.wait_for("more", timeout=PATIENCE)

    def test_matcher_sees_lines_however_they_come(self):
        text = "first\r\nprompt: ü".encode()
        for size in range(1, len(text)):
            matcher = LineMatcher("^prompt: ü$")
            found = [matcher.feed(text[at:at + size]) for at in range(0, len(text), size)]
            self.assertTrue(found[-1], size)
        self.assertIsNone(LineMatcher("first.*prompt").feed(text))
        self.assertTrue(LineMatcher("end").feed(b"x" * 10000 + b"end"))
        started = time.monotonic()
        LineMatcher("nothing").feed(b"x" * 1000000)
        self.assertLess(time.monotonic() - started, PATIENCE)


class EventTest(PythonTest):
    def test_as_they_come_and_once_more(self):
        with self.xl.events() as events:
            with self.create() as domain:
                domid = domain.domid
            seen = []
            while not seen or seen[-1].event != "ended":
                seen.append(events.next(PATIENCE))
            self.assertEqual([event.event for event in seen], ["created", "unpaused", "ended"])
            self.assertEqual({(event.domid, event.name) for event in seen}, {(domid, "guest")})
            self.assertIsNone(seen[-1].end.reason)
            self.assertIsNone(events.next(0))
        self.assertEqual(self.xl.recent_events(), seen)
        self.assertEqual(self.xl.recent_events(seen[0].seq), seen[1:])
        with self.xl.events(after=seen[0].seq) as events:
            self.assertEqual([event for _, event in zip(seen[1:], events)], seen[1:])
            self.assertEqual(events.last, seen[-1].seq)
            self.xl.stop_daemon(destroy_domains=True)
            with self.assertRaises(xlpp.IoError):
                events.next(PATIENCE)


class Pieces:
    """A connection whose bytes come in pieces."""

    def __init__(self, data, size):
        self.pieces = [data[at:at + size] for at in range(0, len(data), size)]

    def receive(self, deadline):
        return self.pieces.pop(0) if self.pieces else b""


class ChunkTest(unittest.TestCase):
    def test_chunks_however_they_come(self):
        raw = b"5\r\nhello\r\n1;x=y\r\n \r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"
        for size in range(1, len(raw) + 1):
            chunks = Chunks(Pieces(raw, size))
            self.assertEqual(b"".join(iter(lambda: chunks.read(Deadline(0)), b"")), b"hello 0123456789abcdef")
            self.assertTrue(chunks.ended)
        broken = Chunks(Pieces(raw[:20], 7))
        self.assertEqual(b"".join(iter(broken.read, b"")), b"hello ")
        self.assertFalse(broken.ended)
        with self.assertRaises(ProtocolError):
            Chunks(Pieces(b"zz\r\n", 9)).read()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
