# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 over one unix socket, as far as xld speaks it, with a deadline for each read.

http.client cannot go on after a read that took too long, and hides the bytes that follow a 101; streams need both.
"""
from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import Dict, Optional

from ._errors import IoError, NotFound, PermissionDenied, ProtocolError

_LONGEST_ADDRESS = 107  # of sockaddr_un, without its NUL
_PIECE = 64 * 1024


class Deadline:
    """A point in time, or never."""

    def __init__(self, seconds: Optional[float]) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> Optional[float]:
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end


NEVER = Deadline(None)


@dataclass(frozen=True)
class Head:
    status: int
    headers: Dict[str, str]  # names in lower case


def connect(path: str) -> socket.socket:
    """NotFound: nobody listens there."""
    connection = socket.socket(socket.AF_UNIX)
    folder = None
    try:
        reach = path
        if len(os.fsencode(path)) > _LONGEST_ADDRESS:
            folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            reach = f"/proc/self/fd/{folder}/{os.path.basename(path)}"
        connection.connect(reach)
        _expect_friend(connection, path)
        return connection
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        raise NotFound(f"xld is not running (nobody listens at '{path}')") from None
    except OSError as error:
        connection.close()
        raise IoError(f"connecting to '{path}': {error.strerror or error}") from error
    except BaseException:
        connection.close()
        raise
    finally:
        if folder is not None:
            os.close(folder)


def _expect_friend(connection: socket.socket, path: str) -> None:
    """Who listens is this user or root: a socket in /tmp could be anybody's."""
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    uid = int.from_bytes(peer[4:8], "little")
    if uid not in (os.geteuid(), 0):
        raise PermissionDenied(f"another user's process listens at '{path}'")


class Connection:
    """One request and its answer; after that what the endpoint makes of it. One thread."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._received = bytearray()

    def close(self) -> None:
        self.socket.close()

    def send(self, method: str, target: str, body: Optional[bytes] = None, upgrade: str = "") -> None:
        head = f"{method} {target} HTTP/1.1\r\nHost: xld\r\n"
        head += f"Connection: Upgrade\r\nUpgrade: {upgrade}\r\n" if upgrade else "Connection: close\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.send_bytes(head.encode("ascii") + b"\r\n" + (body or b""))

    def send_bytes(self, data: bytes) -> None:
        try:
            self.socket.settimeout(None)
            self.socket.sendall(data)
        except OSError as error:
            raise IoError(f"xld went away: {error.strerror or error}") from error

    def receive(self, deadline: Deadline = NEVER) -> Optional[bytes]:
        """What came; b"" at the end of the stream, None if nothing came in time."""
        if self._received:
            data = bytes(self._received)
            self._received.clear()
            return data
        return self._read(deadline)

    def _read(self, deadline: Deadline) -> Optional[bytes]:
        try:
            self.socket.settimeout(deadline.left())  # 0: without waiting
            return self.socket.recv(_PIECE)
        except (socket.timeout, BlockingIOError):
            return None
        except OSError as error:
            raise IoError(f"xld went away: {error.strerror or error}") from error

    def head(self) -> Head:
        while b"\r\n\r\n" not in self._received:
            data = self._read(NEVER)
            if not data:
                raise IoError("xld went away")
            self._received += data
        text, _, rest = bytes(self._received).partition(b"\r\n\r\n")
        self._received = bytearray(rest)
        first, *lines = text.decode("latin-1").split("\r\n")
        words = first.split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
            raise ProtocolError("this is not HTTP: " + repr(first[:80]))
        pairs = (line.partition(":") for line in lines)
        return Head(int(words[1]), {name.strip().lower(): value.strip() for name, _, value in pairs})

    def body(self, head: Head) -> bytes:
        if head.headers.get("transfer-encoding", "").lower() == "chunked":
            chunks = Chunks(self)
            return b"".join(iter(lambda: chunks.read() or b"", b""))
        length = int(head.headers.get("content-length", "0"))
        data = bytearray()
        while len(data) < length:
            piece = self.receive()
            if not piece:
                raise IoError("xld went away")
            data += piece
        return bytes(data[:length])


class Chunks:
    """A body that comes in chunks and may have no end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._raw = bytearray()
        self._left = 0  # of this chunk, with the CR LF behind it
        self.ended = False  # as the server said; else it died

    def read(self, deadline: Deadline = NEVER) -> Optional[bytes]:
        """Some bytes; b"" at the end, None if nothing came in time."""
        while True:
            data = self._decode()
            if data or self.ended:
                return data
            piece = self._connection.receive(deadline)
            if piece is None:
                return None
            if not piece:
                return b""
            self._raw += piece

    def _decode(self) -> bytes:
        out = bytearray()
        while self._raw and not self.ended:
            if self._left == 0:
                line, separator, rest = self._raw.partition(b"\r\n")
                if not separator:
                    break
                try:
                    size = int(line.partition(b";")[0], 16)
                except ValueError:
                    raise ProtocolError("this is no chunk: " + repr(bytes(line[:80]))) from None
                self._raw = rest
                self.ended = size == 0
                self._left = size + 2
                continue
            taken = self._raw[:self._left]
            del self._raw[:self._left]
            out += taken[:max(0, self._left - 2)]
            self._left -= len(taken)
        return bytes(out)
