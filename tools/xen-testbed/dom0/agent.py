# SPDX-License-Identifier: Apache-2.0
"""Last of dom0's process 1: runs the one command that the tool outside asks for, and carries its bytes over the port.

A command has a session of its own. With `tty` it gets a terminal, else pipes, so that output and errors stay apart.
"""
import fcntl
import glob
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from channel import Decoder, Kind, frame  # noqa: E402

CHUNK = 65536
# How long what a command left behind may go on to write after its end.
AFTER_END = 0.2


def open_port():
    while not (ports := glob.glob("/dev/vport*p*")):
        time.sleep(0.02)
    return os.open(ports[0], os.O_RDWR)


def mount_shares(shares):
    """With a cache, for programs start from these folders; the agent syncs at the end, an interactive shell at each prompt."""
    for tag, path in shares:
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "9p", "-o", "trans=virtio,version=9p2000.L,msize=512000,cache=loose", tag, path],
                       check=True)


class Command:
    """The running command and our ends of its streams."""

    def __init__(self, request):
        self.input = bytearray()
        self.input_ended = False
        self.outputs = {}  # descriptor: kind of frame
        self.status = None
        if request["tty"]:
            self.stdin, theirs = pty.openpty()
            self.outputs[self.stdin] = Kind.OUTPUT
            streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
            self.resize(request["size"])
        else:
            their_input, self.stdin = os.pipe()
            output, their_output = os.pipe()
            errors, their_errors = os.pipe()
            self.outputs = {output: Kind.OUTPUT, errors: Kind.ERRORS}
            streams = {"stdin": their_input, "stdout": their_output, "stderr": their_errors}
        os.set_blocking(self.stdin, False)
        self.tty = request["tty"]
        try:
            self.process = subprocess.Popen(request["argv"], cwd=request["directory"], env=request["environment"],
                                            preexec_fn=self.own_session, **streams)
            self.pid = self.process.pid
        except OSError as error:
            os.write(streams["stderr"], f"xen-testbed: cannot run {request['argv'][0]}: {error.strerror}\n".encode())
            self.pid, self.status = None, 127 if error.errno == 2 else 126
        for descriptor in set(streams.values()):
            os.close(descriptor)

    def own_session(self):
        os.setsid()
        if self.tty:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)

    def resize(self, size):
        if self.stdin is not None:
            fcntl.ioctl(self.stdin, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def signal(self, number):
        if self.pid is not None and self.status is None:
            os.killpg(self.pid, number)

    def give_input(self):
        """Writes what fits; returns the number of bytes that the command took."""
        try:
            taken = os.write(self.stdin, self.input[:CHUNK]) if self.input else 0
        except BlockingIOError:
            return 0
        except OSError:  # it reads no more: the rest goes nowhere
            taken = len(self.input)
        del self.input[:taken]
        if not self.input and self.input_ended and not self.tty:
            os.close(self.stdin)
            self.stdin = None
        return taken


class Agent:
    def __init__(self):
        self.port = open_port()
        self.decoder = Decoder()
        self.command = None
        self.ended_at = 0.0
        self.woken, wake = os.pipe()
        for descriptor in (self.woken, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def send(self, kind, payload=b""):
        data = memoryview(frame(kind, payload))
        while data:
            data = data[os.write(self.port, data):]

    def reap(self):
        """Process 1 inherits every orphan of dom0."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self.command is not None and pid == self.command.pid:
                code = os.waitstatus_to_exitcode(status)
                self.command.status = code if code >= 0 else 128 - code
                self.ended_at = time.monotonic()

    def receive(self):
        data = os.read(self.port, CHUNK)
        if not data:  # the tool has gone, QEMU ends any moment
            time.sleep(0.1)
        for kind, payload in self.decoder.feed(data):
            if kind is Kind.RUN:
                request = json.loads(payload)
                mount_shares(request["shares"])
                self.command = Command(request)
                self.ended_at = time.monotonic()  # if it could not even start
            elif kind is Kind.INPUT:
                self.command.input += payload
                self.command.input_ended |= not payload
            elif kind is Kind.SIGNAL:
                self.command.signal(int(payload))
            elif kind is Kind.SIZE:
                self.command.resize(list(map(int, payload.split())))

    def pass_output(self, descriptor):
        try:
            data = os.read(descriptor, CHUNK)
        except OSError:  # a terminal whose other side is closed
            data = b""
        if data:
            self.send(self.command.outputs[descriptor], data)
        else:
            del self.command.outputs[descriptor]

    def done(self):
        """The command has ended and all that it wrote is sent; not waiting for ever for a daemon that holds its streams."""
        command = self.command
        if command is None or command.status is None:
            return False
        return not command.outputs or self.ended_at + AFTER_END < time.monotonic()

    def wants_input(self):
        command = self.command
        return command is not None and command.stdin is not None and (command.input or command.input_ended and not command.tty)

    def step(self):
        command = self.command
        readers = [self.port, self.woken, *(command.outputs if command else [])]
        writers = [command.stdin] if self.wants_input() else []
        ending = command is not None and command.status is not None
        readable, writable, _ = select.select(readers, writers, [], 0.05 if ending else 5)
        if not readable and not writable and not ending:
            self.send(Kind.ALIVE)
        if self.woken in readable:
            os.read(self.woken, CHUNK)
            self.reap()
        for descriptor in readable:
            if command is not None and descriptor in command.outputs:
                self.pass_output(descriptor)
                if ending:
                    self.ended_at = max(self.ended_at, time.monotonic() - AFTER_END / 2)
        if writable and (taken := command.give_input()):
            self.send(Kind.TAKEN, str(taken).encode())
        if self.port in readable:
            self.receive()

    def run(self):
        self.send(Kind.READY)
        while not self.done():
            self.step()
        os.sync()
        self.send(Kind.EXIT, str(self.command.status).encode())
        while True:  # process 1 does not end; the tool ends the machine
            time.sleep(60)


Agent().run()
