# SPDX-License-Identifier: Apache-2.0
"""A domain's console: what it prints, and what is typed."""
from __future__ import annotations

import codecs
import re
from types import TracebackType
from typing import Iterator, Optional, Type, Union

from ._errors import DomainEnded, Timeout
from ._http import Connection, Deadline

Pattern = Union[str, "re.Pattern[str]"]
_LONGEST_LINE = 4096  # a line that is longer is looked at in pieces that overlap by half


class LineMatcher:
    """Looks for a pattern line by line, and in the line that is not complete yet: a prompt has no end."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = re.compile(pattern)
        self._line = b""
        self.rest = b""  # behind the match: what was not looked at

    def restart(self) -> None:
        self._line = b""

    def feed(self, data: bytes) -> Optional["re.Match[str]"]:
        while data:
            end = data.find(b"\n")
            taken = min(len(data) if end < 0 else end, _LONGEST_LINE - len(self._line))
            self._line += data[:taken]
            data = data[taken:]
            match = self._pattern.search(self._line.decode("utf-8", "replace").rstrip("\r"))
            if match:
                self.rest = data
                return match
            if data.startswith(b"\n"):
                self._line, data = b"", data[1:]
            elif len(self._line) == _LONGEST_LINE:
                self._line = self._line[_LONGEST_LINE // 2:]
        return None


class Console:
    """An attached console, beginning with what was printed before; any number may be attached. One thread."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._unread = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._partial = ""

    def read(self, timeout: Optional[float] = None) -> Optional[bytes]:
        """The bytes that came; b"" when the console has ended, None if nothing came in time."""
        return self._receive(Deadline(timeout))

    def _receive(self, deadline: Deadline) -> Optional[bytes]:
        if self._unread:
            data, self._unread = self._unread, b""
            return data
        return self._connection.receive(deadline)

    def lines(self, timeout: Optional[float] = None) -> Iterator[str]:
        """Lines without their ends, until the console ends; a last one without an end too.

        Timeout if that takes longer than `timeout` in all.
        """
        deadline = Deadline(timeout)
        while True:
            data = self._receive(deadline)
            if data is None:
                raise Timeout(f"the console of '{self._name}' has not ended within {timeout:g} s")
            *whole, self._partial = (self._partial + self._decoder.decode(data, final=not data)).split("\n")
            yield from (line.rstrip("\r") for line in whole)
            if not data:
                if self._partial:
                    yield self._partial
                    self._partial = ""
                return

    def wait_for(self, pattern: Pattern, timeout: Optional[float] = None) -> "re.Match[str]":
        """Reads on until a line, complete or not, has the pattern. Timeout; DomainEnded."""
        matcher = LineMatcher(pattern)
        deadline = Deadline(timeout)
        while True:
            data = self._receive(deadline)
            if data is None:
                raise Timeout(f"domain '{self._name}' has not printed '{pattern}' within {timeout:g} s")
            if not data:
                raise DomainEnded(f"the console of '{self._name}' ended before it printed '{pattern}'")
            match = matcher.feed(data)
            if match:
                self._unread = matcher.rest
                return match

    def write(self, data: Union[str, bytes]) -> None:
        """Types it; a line ends with "\\n" or "\\r", as the guest's terminal likes it."""
        self._connection.send_bytes(data.encode() if isinstance(data, str) else data)

    def fileno(self) -> int:
        return self._connection.socket.fileno()

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Console:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()
