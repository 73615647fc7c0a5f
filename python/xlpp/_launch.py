# SPDX-License-Identifier: Apache-2.0
"""Where xld listens, and how it is started: the rules of xl(1)."""
from __future__ import annotations

import os
import shutil
import socket
import subprocess
from typing import Optional

from ._errors import IoError, NotFound
from ._http import connect


def default_runtime_dir() -> str:
    """$XL_RUNTIME_DIR; else /run/xl for root, $XDG_RUNTIME_DIR/xl for others, or /tmp/xl-UID."""
    chosen = os.environ.get("XL_RUNTIME_DIR")
    if chosen:
        return os.path.abspath(chosen)
    if os.geteuid() == 0:
        return "/run/xl"
    session = os.environ.get("XDG_RUNTIME_DIR")
    return os.path.join(os.path.abspath(session), "xl") if session else f"/tmp/xl-{os.geteuid()}"


def start(runtime_dir: str, xl: Optional[str]) -> None:
    """Has `xl daemon start` start it: that knows its xld, and holds the lock that lets only one be started."""
    program = xl or shutil.which("xl")
    if program is None:
        raise NotFound("no xl was found on the PATH", "install xl++, or give Client(xl=...) the path of its xl")
    try:
        done = subprocess.run([program, "daemon", "start"], env={**os.environ, "XL_RUNTIME_DIR": runtime_dir},
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              errors="replace", check=False)
    except OSError as error:
        raise IoError(f"running '{program}': {error.strerror}") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        said = lines[-1]
        raise IoError(said[len("xl: error: "):] if said.startswith("xl: error: ") else said,
                      context=[f"running '{program} daemon start'"])


def connect_or_start(runtime_dir: str, xl: Optional[str], may_start: bool) -> socket.socket:
    path = os.path.join(runtime_dir, "xld.sock")
    try:
        return connect(path)
    except NotFound:
        if not may_start:
            raise
    start(runtime_dir, xl)
    return connect(path)
