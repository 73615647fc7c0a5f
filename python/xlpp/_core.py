# SPDX-License-Identifier: Apache-2.0
"""Core files: this side opens the file, xld writes it."""
from __future__ import annotations

import array
import json
import os
import socket
from typing import TYPE_CHECKING, Callable, Optional

from . import _endpoints as endpoints
from ._errors import IoError, error_from

if TYPE_CHECKING:
    from ._client import Client


def write_core(client: Client, domain: str, path: str, live: bool, compression: str,
               progress: Optional[Callable[[int, int], None]]) -> None:
    """A dump that fails leaves no file, and one that was there as it was."""
    unfinished = path + ".part"
    try:
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise IoError(f"opening '{unfinished}': {error.strerror}") from error
    try:
        try:
            _dump(client, domain, fd, live, compression, progress)
        finally:
            os.close(fd)
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise


def _dump(client: Client, domain: str, fd: int, live: bool, compression: str,
          progress: Optional[Callable[[int, int], None]]) -> None:
    connection, _ = client.open(endpoints.CORE, domain, query={"live": live, "compression": compression},
                                upgrade="xl-core")
    try:
        connection.socket.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
        text = b""
        while True:
            data = connection.receive()
            if not data:
                raise IoError("xld went away")
            *lines, text = (text + data).split(b"\n")
            for line in lines:
                news = json.loads(line)
                if "error" in news:
                    raise error_from(news, 101)
                if "done" in news:
                    return
                if progress is not None:
                    progress(news["pages"], news["of"])
    finally:
        connection.close()
