# SPDX-License-Identifier: Apache-2.0
"""Domain: a handle by its name, which a domain keeps when it restarts."""
from __future__ import annotations

import os
import re
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Type, Union

from . import _endpoints as endpoints
from ._console import Console
from ._core import write_core
from ._errors import NotFound, Timeout
from ._events import Events
from ._http import Deadline
from ._models import DomainInfo, Event, Json, Memory, Share, Vcpu, VcpuCount
from ._wait import Waiter

if TYPE_CHECKING:
    from ._client import Client


class Domain:
    """One domain. As a context manager it destroys the domain at the end, if it still exists then.

    name      how it is called now
    warnings  what create had to say
    phases    where the time of create went, nanoseconds by phase
    """

    def __init__(self, client: Client, name: str, warnings: Sequence[str] = (),
                 phases: Optional[Mapping[str, int]] = None) -> None:
        self._client = client
        self.name = name
        self.warnings = tuple(warnings)
        self.phases: Mapping[str, int] = phases or {}

    def __repr__(self) -> str:
        return f"<xlpp.Domain {self.name!r}>"

    def __enter__(self) -> Domain:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        try:
            self.destroy()
        except NotFound:
            pass

    def _call(self, endpoint: endpoints.Endpoint, body: Optional[Json] = None, **query: Any) -> bytes:
        return self._client.call(endpoint, body, domain=self.name, query=query)

    def _json(self, endpoint: endpoints.Endpoint, body: Optional[Json] = None) -> Any:
        return self._client._json(endpoint, body, domain=self.name)

    # --- what it is ---

    def info(self) -> DomainInfo:
        """As it is now. NotFound: it has gone."""
        return self._client.info(self.name)

    @property
    def domid(self) -> int:
        return self.info().domid

    def exists(self) -> bool:
        try:
            self.info()
            return True
        except NotFound:
            return False

    def counters(self) -> Dict[str, int]:
        counters: Dict[str, int] = self._json(endpoints.COUNTERS)["counters"]
        return counters

    # --- its life ---

    def pause(self) -> None:
        self._call(endpoints.PAUSE)

    def unpause(self) -> None:
        self._call(endpoints.UNPAUSE)

    def destroy(self) -> None:
        """Ends it at once."""
        self._call(endpoints.DESTROY)

    def rename(self, name: str) -> None:
        self._call(endpoints.RENAME, {"name": name})
        self.name = name

    def shutdown(self, *, timeout: float = 60, wait: bool = False, trigger: bool = False) -> Optional[Event]:
        """Asks the guest to power off; returns when it has taken that. Timeout: it has not, or is not down in time.

        wait     return when it is down: the event that tells how
        trigger  press a button if the guest takes no requests
        """
        return self._ask("poweroff", timeout, wait, trigger)

    def reboot(self, *, timeout: float = 60, wait: bool = False, trigger: bool = False) -> Optional[Event]:
        """Asks the guest to reboot; with `wait`, returns when its successor has been made."""
        return self._ask("reboot", timeout, wait, trigger)

    def _ask(self, action: str, timeout: float, wait: bool, trigger: bool) -> Optional[Event]:
        deadline = Deadline(timeout)
        body = {"action": action, "timeout_ms": int(timeout * 1000), "trigger": trigger}
        if not wait:
            self._call(endpoints.SHUTDOWN, body)
            return None
        domid = self.domid
        with self._client.events() as events:
            self._call(endpoints.SHUTDOWN, body)
            return self._end_of(domid, events, deadline)

    def _end_of(self, domid: int, events: Events, deadline: Deadline) -> Event:
        while True:
            event = events.before(deadline)
            if event is None:
                raise Timeout(f"domain '{self.name}' took the request and is not down within the given time")
            # Behind a shutdown that is not the last word comes what follows from it.
            if event.domid == domid and event.end is not None and \
                    (event.event != "shutdown" or event.end.action == "preserve"):
                return event

    def sysrq(self, letter: str, *, timeout: float = 60) -> None:
        self._call(endpoints.SYSRQ, {"letter": letter, "timeout_ms": int(timeout * 1000)})

    def trigger(self, trigger: str, vcpu: int = 0) -> None:
        """nmi, reset or init, to one vcpu."""
        self._call(endpoints.TRIGGER, {"trigger": trigger, "vcpu": vcpu})

    def wait(self, condition: str, timeout: Optional[float] = None) -> Optional["re.Match[str]"]:
        """Returns when it is running, booted, or shutdown, or has printed console=REGEX; what is so already counts.

        Returns the match of a console's line. Timeout; DomainEnded if it cannot come any more; NotFound.
        """
        return Waiter(self._client, self.name, condition, timeout).run()

    # --- its console and memory image ---

    def console(self) -> Console:
        return self._client.console(self.name)

    def console_text(self, *, log: bool = False) -> str:
        """What it printed, the last 64 KiB; or the log file, which has earlier domains of its name too."""
        return self._call(endpoints.CONSOLE, history=not log).decode("utf-8", "replace")

    def dump_core(self, path: Union[str, "os.PathLike[str]"], *, live: bool = False, compression: str = "none",
                  progress: Optional[Callable[[int, int], None]] = None) -> None:
        """Writes its core file (ELF); `compression` is none, zstd or gzip. Paused meanwhile, unless `live`."""
        write_core(self._client, self.name, os.fspath(path), live, compression, progress)

    # --- vcpus, memory, share ---

    def vcpus(self) -> List[Vcpu]:
        return [Vcpu.take(row) for row in self._json(endpoints.VCPUS)["vcpus"]]

    def vcpu_set(self, vcpus: int, *, ignore_host: bool = False, timeout: float = 30) -> VcpuCount:
        """Returns when the guest has so many online. Timeout: it has not, or not wholly."""
        return VcpuCount.take(self._json(endpoints.SET_VCPUS, {"vcpus": vcpus, "ignore_host": ignore_host,
                                                               "timeout_ms": int(timeout * 1000)}))

    def vcpu_pin(self, *, vcpu: Optional[int] = None, hard: Optional[str] = None, soft: Optional[str] = None) -> None:
        """Sets of CPUs as in `xl vcpu-pin`; without a vcpu, for all of them."""
        given = {"vcpu": vcpu, "hard": hard, "soft": soft}
        self._call(endpoints.PIN, {name: value for name, value in given.items() if value is not None})

    def memory(self) -> Memory:
        return Memory.take(self._json(endpoints.MEMORY))

    def mem_set(self, target_kib: int) -> Memory:
        """Asks its balloon driver for this much; the guest follows when it can."""
        return Memory.take(self._json(endpoints.SET_MEMORY, {"target_kib": target_kib}))

    def mem_max(self, max_kib: int) -> Memory:
        """What it may have at most."""
        return Memory.take(self._json(endpoints.SET_MEMORY, {"max_kib": max_kib}))

    def share(self) -> Share:
        return Share.take(self._json(endpoints.SHARE)["domains"][0])

    def set_share(self, *, weight: Optional[int] = None, cap: Optional[int] = None) -> None:
        given = {"weight": weight, "cap": cap}
        self._call(endpoints.SET_SHARE, {name: value for name, value in given.items() if value is not None})
