# SPDX-License-Identifier: Apache-2.0
"""One command in the bed: its streams, signals and exit status, from the ready agent to the end."""
import fcntl
import json
import os
import selectors
import signal
import struct
import sys
import termios
import time
import tty

from bed import BedError
from channel import WINDOW, Decoder, Kind, frame

CHUNK = 65536
TIMED_OUT = 124  # as timeout(1) says it


def terminal_size():
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))
    return rows or 24, columns or 80


class Session:
    def __init__(self, bed, request, options):
        self.bed, self.request, self.options = bed, request, options
        self.decoder = Decoder()
        self.status = None
        self.started = False
        self.unsent = bytearray()
        self.credit = WINDOW
        self.input_open = True
        self.interrupts = 0
        self.last_heard = self.begun = time.monotonic()
        self.selector = selectors.DefaultSelector()
        self.selector.register(bed.socket, selectors.EVENT_READ)
        bed.socket.setblocking(False)
        self.woken, wake = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(wake, False)
        self.selector.register(self.woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(wake)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH):
            signal.signal(number, lambda *_: None)

    def run(self):
        saved = termios.tcgetattr(0) if self.request["tty"] else None
        try:
            while self.status is None:
                self.step()
        finally:
            if saved is not None:
                termios.tcsetattr(0, termios.TCSADRAIN, saved)
        return self.status

    # --- one turn ---

    def step(self):
        self.watch_input()
        self.selector.modify(self.bed.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0))
        for key, events in self.selector.select(1):
            if key.fileobj is self.bed.socket:
                if events & selectors.EVENT_WRITE:
                    self.flush()
                if events & selectors.EVENT_READ:
                    self.receive()
            elif key.fileobj == self.woken:
                self.take_signals()
            else:
                self.read_input()
        self.check_time()

    def watch_input(self):
        wanted = self.started and self.input_open and self.credit > 0
        watched = 0 in self.selector.get_map()
        if wanted and not watched:
            try:
                self.selector.register(0, selectors.EVENT_READ)
            except (PermissionError, ValueError, OSError):  # a file: always readable; epoll will not have it
                self.read_input()
        elif watched and not wanted:
            self.selector.unregister(0)

    def check_time(self):
        now = time.monotonic()
        silent = now - self.last_heard
        if not self.started and now - self.begun > self.options.boot_timeout:
            raise BedError(f"dom0 is not up within {self.options.boot_timeout} s")
        if self.started and silent > self.options.boot_timeout:
            raise BedError(f"dom0 has not answered for {silent:.0f} s")
        if self.options.timeout and self.started and now - self.begun > self.options.timeout:
            print(f"xen-testbed: the command's {self.options.timeout:g} s are over", file=sys.stderr)
            self.status = TIMED_OUT

    # --- to dom0 ---

    def send(self, kind, payload=b""):
        self.unsent += frame(kind, payload)

    def flush(self):
        try:
            del self.unsent[:self.bed.socket.send(self.unsent[:CHUNK])]
        except BlockingIOError:
            pass
        except OSError as error:
            raise BedError("QEMU has ended") from error

    def read_input(self):
        try:
            data = os.read(0, min(CHUNK, self.credit))
        except OSError:
            data = b""
        self.input_open = bool(data)
        self.credit -= len(data)
        self.send(Kind.INPUT, data)

    def take_signals(self):
        for number in os.read(self.woken, 100):
            if number == signal.SIGWINCH:
                if self.request["tty"]:
                    self.send(Kind.SIZE, b"%d %d" % terminal_size())
                continue
            self.interrupts += 1
            if number != signal.SIGINT or not self.started or self.interrupts > 1:
                self.status = 128 + number
            else:
                self.send(Kind.SIGNAL, str(number).encode())

    # --- from dom0 ---

    def receive(self):
        try:
            data = self.bed.socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            raise BedError("Xen, dom0 or QEMU has ended")
        self.last_heard = time.monotonic()
        for kind, payload in self.decoder.feed(data):
            self.take(kind, payload)

    def take(self, kind, payload):
        if kind is Kind.READY:
            self.start()
        elif kind is Kind.TAKEN:
            self.credit += int(payload)
        elif kind is Kind.OUTPUT:
            self.write(1, payload)
        elif kind is Kind.ERRORS:
            self.write(2, payload)
        elif kind is Kind.EXIT:
            self.status = int(payload)

    def start(self):
        if self.options.verbose:
            print(f"xen-testbed: dom0 is up after {time.monotonic() - self.begun:.1f} s", file=sys.stderr)
        self.send(Kind.RUN, json.dumps(self.request).encode())
        self.started = True
        self.begun = time.monotonic()
        if self.request["tty"]:
            tty.setraw(0)

    def write(self, descriptor, data):
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(descriptor, view):]
            except BrokenPipeError:  # our reader has gone: so has the command's
                self.status = 128 + signal.SIGPIPE
                return
