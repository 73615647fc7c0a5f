#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""xl console: several clients, attach and detach, replay, input, raw tty."""
import os
import pty
import select
import subprocess
import time
import harness


class Client:
    """`xl console` on a pseudo terminal."""

    def __init__(self, machine, name):
        self.master, slave = pty.openpty()
        self.process = machine.popen("console", name, stdin=slave, stdout=slave, stderr=slave, text=False, errors=None,
                                     start_new_session=True)
        os.close(slave)
        self.seen = b""

    def expect(self, text, seconds=10):
        end = time.monotonic() + seconds
        while text.encode() not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise AssertionError(f"no {text!r} within {seconds} s in {self.seen[-500:]!r}")
            try:
                data = os.read(self.master, 65536)
            except OSError:
                data = b""
            if not data:
                raise AssertionError(f"the console ended without {text!r}: {self.seen[-500:]!r}")
            self.seen += data

    def type(self, text):
        os.write(self.master, text.encode())

    def detach(self):
        self.type("\x1d")
        status = self.process.wait(timeout=10)
        os.close(self.master)
        return status

    def gone(self, seconds=10):
        status = self.process.wait(timeout=seconds)
        os.close(self.master)
        return status


class Console(harness.VmTest):
    def test_replay_input_detach(self):
        name = self.machine.create("echo", extra="lines=20")
        first = Client(self.machine, name)
        first.expect("READY echo")
        self.assertIn(b"line 1\r\n", first.seen)
        first.type("one\r")
        first.expect("echo: one")
        self.assertEqual(first.detach(), 0)
        self.assertIn(name, self.machine.domains())
        second = Client(self.machine, name)
        second.expect("echo: one")
        self.assertIn(b"line 20\r\n", second.seen)
        second.type("quit\r")
        second.expect("PASS echo")
        self.assertEqual(second.gone(), 0)

    def test_several_clients_see_the_same(self):
        name = self.machine.create("echo")
        clients = [Client(self.machine, name) for _ in range(4)]
        for client in clients:
            client.expect("READY echo")
        for number, client in enumerate(clients):
            client.type(f"from {number}\r")
            for other in clients:
                other.expect(f"echo: from {number}")
        self.assertEqual(clients[0].detach(), 0)
        clients[1].type("still\r")
        clients[2].expect("echo: still")
        for client in clients[1:]:
            self.assertEqual(client.detach(), 0)

    def test_attach_and_detach_leave_nothing(self):
        name = self.machine.create("echo")
        Client(self.machine, name).detach()
        before = self.machine.descriptors()
        for _ in range(20):
            client = Client(self.machine, name)
            client.expect("READY echo")
            self.assertEqual(client.detach(), 0)
        harness.wait_until(lambda: self.machine.descriptors() == before, "the descriptors are as before")

    def test_killed_client_leaves_nothing(self):
        name = self.machine.create("echo")
        before = self.machine.descriptors()
        clients = [Client(self.machine, name) for _ in range(5)]
        for client in clients:
            client.expect("READY echo")
            client.process.kill()
            client.gone()
        harness.wait_until(lambda: self.machine.descriptors() == before, "the descriptors are as before")

    def test_flood_is_bounded_and_complete_at_the_end(self):
        name = self.machine.create("echo", extra="lines=50000")
        client = Client(self.machine, name)
        client.expect("READY echo", 60)
        self.assertIn(b"line 50000\r\n", client.seen)
        self.assertEqual(client.detach(), 0)
        late = Client(self.machine, name)
        late.expect("READY echo")
        self.assertIn(b"line 50000\r\n", late.seen)
        self.assertLess(len(late.seen), 4 << 20)
        self.assertEqual(late.detach(), 0)

    def test_reader_that_does_not_read_holds_nobody_up(self):
        name = self.machine.create("echo", extra="lines=20000")
        stuck = self.machine.popen("console", name)  # its pipe is never read
        client = Client(self.machine, name)
        client.expect("READY echo", 60)
        client.type("quick\r")
        client.expect("echo: quick", 5)
        self.assertEqual(client.detach(), 0)
        stuck.kill()
        stuck.communicate()

    def test_of_a_domain_that_is_not_there(self):
        self.expect_error(self.machine.xl("console", "nobody", check=False), "nobody")

    def test_create_with_console_and_quit(self):
        arguments = self.machine.configuration(harness.GUESTS / "echo.elf")
        process = self.machine.popen("create", "-c", *arguments, stdin=subprocess.PIPE)
        process.stdin.write("hi\rquit\r")
        process.stdin.flush()
        output = process.communicate(timeout=20)[0]
        self.assertIn("echo: hi", output)
        self.assertIn("PASS echo", output)
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    harness.main()
