# SPDX-License-Identifier: Apache-2.0
"""The lifecycle events as they come."""
from __future__ import annotations

import json
from types import TracebackType
from typing import Iterator, Optional, Type

from ._errors import IoError
from ._http import Chunks, Connection, Deadline
from ._models import Event


class Events:
    """An iterator of events without an end; one thread. IoError: xld went away, and client.events(after=last)
    goes on behind the last one that was seen."""

    def __init__(self, connection: Connection, last: Optional[int]) -> None:
        self._connection = connection
        self._chunks = Chunks(connection)
        self._text = b""
        self.last = last  # the number of the last event taken, or what the stream began behind

    def next(self, timeout: Optional[float] = None) -> Optional[Event]:
        """The next one; None if it does not come in time."""
        return self.before(Deadline(timeout))

    def before(self, deadline: Deadline) -> Optional[Event]:
        while b"\n" not in self._text:
            data = self._chunks.read(deadline)
            if data is None:
                return None
            if not data:
                raise IoError("xld has ended" if self._chunks.ended else "xld went away")
            self._text += data
        line, _, self._text = self._text.partition(b"\n")
        event = Event.take(json.loads(line))
        self.last = event.seq
        return event

    def __iter__(self) -> Iterator[Event]:
        while True:
            event = self.before(Deadline(None))
            assert event is not None
            yield event

    def fileno(self) -> int:
        return self._connection.socket.fileno()

    @property
    def pending(self) -> bool:
        """Whether one is there that select() does not see any more."""
        return b"\n" in self._text

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Events:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()
