#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A hypervisor that dies or hangs, a daemon that is killed, clients that misbehave."""
import os
import signal
import socket
import time
from pathlib import Path
import harness


class Failure(harness.VmTest):
    def timed(self, *arguments):
        start = time.monotonic()
        result = self.machine.xl(*arguments, check=False, timeout=20)
        return result, time.monotonic() - start

    def stop_qemu(self):
        """SIGSTOP, and the wait until all its threads have stopped."""
        qemu = self.machine.qemu()
        os.kill(qemu, signal.SIGSTOP)

        def stopped():
            return all(Path(f"/proc/{qemu}/task/{task}/stat").read_text(encoding="ascii").rsplit(")")[-1].split()[0] == "T"
                       for task in os.listdir(f"/proc/{qemu}/task"))
        harness.wait_until(stopped, "QEMU is stopped")
        return qemu

    def test_killed_hypervisor_is_an_error_and_a_new_one_starts(self):
        lost = self.machine.create("idle")
        os.kill(self.machine.qemu(), signal.SIGKILL)
        result, seconds = self.timed("create", *self.machine.configuration(harness.GUESTS / "idle.elf"))
        self.assertLess(seconds, 3)
        if result.returncode != 0:
            self.expect_error(result, "hypervisor")
        self.expect_pass("hello")
        self.assertNotIn(lost, self.machine.domains())

    def test_hung_hypervisor_is_an_error_within_two_seconds(self):
        name = self.machine.create("idle")
        qemu = self.stop_qemu()
        try:
            result, seconds = self.timed("pause", name)
            self.expect_error(result, "hypervisor")
            self.assertLess(seconds, 3)  # 2 s, and the start of a command on a busy machine
            _, seconds = self.timed("list")
            self.assertLess(seconds, 3)
            self.assertEqual(self.machine.xl("daemon", "status").returncode, 0)
        finally:
            os.kill(qemu, signal.SIGCONT)
        harness.wait_until(lambda: self.machine.xl("list", check=False).returncode == 0, "it answers again")
        self.expect_pass("hello")

    def test_create_while_hung_fails_and_the_next_one_works(self):
        self.machine.create("idle")
        qemu = self.stop_qemu()
        try:
            result, seconds = self.timed("create", *self.machine.configuration(harness.GUESTS / "idle.elf"))
            self.expect_error(result, "hypervisor")
            self.assertLess(seconds, 3)
        finally:
            os.kill(qemu, signal.SIGCONT)
        self.expect_pass("hello")

    def test_destroyed_while_someone_waits(self):
        arguments = self.machine.configuration(harness.GUESTS / "idle.elf", name="waited")
        process = self.machine.popen("create", "-F", *arguments)
        harness.wait_until(lambda: self.machine.xl("destroy", "waited", check=False).returncode == 0, "it is destroyed")
        process.communicate(timeout=10)

    def test_two_directories_do_not_see_each_other(self):
        name = self.machine.create("idle")
        other = harness.Machine()
        try:
            self.assertNotIn(name, other.domains())
            self.assertNotEqual(other.status()["pid"], self.machine.status()["pid"])
        finally:
            other.close()


class ApiAbuse(harness.VmTest):
    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(15)
        client.connect(self.machine.status()["socket"])
        return client

    def expect_daemon_well(self, before):
        self.assertEqual(self.machine.xl("list").returncode, 0)
        self.machine.expect_footprint(before, 40)

    def answer(self, client):
        data = b""
        try:
            while chunk := client.recv(65536):
                data += chunk
        except ConnectionError:
            return data
        return data

    def test_malformed_requests(self):
        before = self.machine.footprint()
        for request in (b"\x00\xff\x01garbage\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 100,
                        b"POST /v1/domains HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{{{{{",
                        b"POST /v1/domains HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                        b"POST /v1/domains HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]",
                        b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n"):
            with self.connect() as client:
                try:
                    client.sendall(request)
                    client.shutdown(socket.SHUT_WR)
                    reply = self.answer(client)
                except (BrokenPipeError, ConnectionResetError):
                    continue
                self.assertNotRegex(reply[:15], rb"HTTP/1\.. 2")
        self.expect_daemon_well(before)

    def test_oversized_body_is_refused_before_it_is_read(self):
        before = self.machine.footprint()
        with self.connect() as client:
            client.sendall(b"POST /v1/domains HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000000\r\n\r\n")
            self.assertRegex(self.answer(client)[:15], rb"HTTP/1\.. 4")
        self.expect_daemon_well(before)

    def test_slow_and_dropped_connections(self):
        before = self.machine.footprint()
        slow = [self.connect() for _ in range(50)]
        for client in slow:
            client.sendall(b"GET /v1/domains HTT")
        start = time.monotonic()
        self.machine.xl("list")
        self.assertLess(time.monotonic() - start, 2)
        for client in slow:
            client.close()
        self.expect_daemon_well(before)

    def test_socket_is_the_users_only(self):
        self.assertEqual(os.stat(self.machine.status()["socket"]).st_mode & 0o777, 0o600)


if __name__ == "__main__":
    harness.main()
