# SPDX-License-Identifier: Apache-2.0
"""Waiting for what a domain comes to, as `xl wait` does it: events first, then a look, so that nothing is missed."""
from __future__ import annotations

import re
import select
from typing import TYPE_CHECKING, Optional

from . import _endpoints as endpoints
from ._console import Console, LineMatcher
from ._errors import DomainEnded, HypervisorGone, InvalidArgument, IoError, NotFound, Timeout
from ._events import Events
from ._http import Deadline
from ._models import DomainInfo, End, Event

if TYPE_CHECKING:
    from ._client import Client

_CONSOLE = "console="


def ended(name: str, end: End) -> DomainEnded:
    """The end as an error, with what is known of it."""
    how = {None: "was destroyed", "crash": "crashed", "watchdog": "was ended by its watchdog"}
    text = f"domain '{name}' " + (f"ended by a {end.cause}" if end.cause else
                                  how.get(end.reason, f"has shut down ({end.reason})"))
    if end.last_console_line:
        text += "; the last line on its console was: " + end.last_console_line
    return DomainEnded(text, end.reason, end.last_console_line, end.report)


def expect_good(name: str, end: End) -> None:
    if end.action == "lost":
        raise HypervisorGone(f"the hypervisor died, and domain '{name}' with it")
    if end.cause or end.reason in (None, "crash", "watchdog"):
        raise ended(name, end)


class Waiter:
    def __init__(self, client: Client, name: str, condition: str, timeout: Optional[float]) -> None:
        self._client = client
        self._name = name
        self._condition = condition
        self._deadline = Deadline(timeout)
        self._matcher: Optional[LineMatcher] = None
        if condition.startswith(_CONSOLE):
            try:
                self._matcher = LineMatcher(condition[len(_CONSOLE):])
            except re.error as error:
                raise InvalidArgument(f"'{condition}' is not a regular expression: {error}") from None
        elif condition not in ("running", "booted", "shutdown"):
            raise InvalidArgument(f"'{condition}' is none of running, booted, shutdown, console=REGEX")
        self._console: Optional[Console] = None
        self._domain: Optional[DomainInfo] = None
        self._domid = -1
        self._match: Optional["re.Match[str]"] = None

    def run(self) -> Optional["re.Match[str]"]:
        while True:
            events = self._client.events()
            try:
                if self._look(self._find()) or self._follow(events):
                    return self._match
            except IoError:
                # xld went away; the next one knows the domain again.
                if self._deadline.over:
                    raise self._too_late() from None
            finally:
                events.close()
                self._close_console()

    def _too_late(self) -> Timeout:
        return Timeout(f"domain '{self._name}' has not come to '{self._condition}' within the given time",
                       "" if self._condition != "booted" else
                       "a guest that never writes control/feature-poweroff never does; console=REGEX serves those")

    def _close_console(self) -> None:
        if self._console is not None:
            self._console.close()
            self._console = None

    def _find(self) -> DomainInfo:
        if self._domain is None:
            return self._client.info(self._name)
        # After xld has been away it may have another domid; its uuid is the same.
        found = [info for info in self._client.list() if info.uuid == self._domain.uuid]
        if not found:
            raise ended(self._name, End(None, "", "", "destroy", None))
        return found[0]

    def _look(self, info: DomainInfo) -> bool:
        self._domain, self._domid, self._name = info, info.domid, info.name
        down = info.shutdown_reason is not None
        if (self._condition == "running" and not (down or info.paused or info.dying)) or \
                (self._condition == "booted" and info.booted and not down):
            return True
        if self._matcher is not None and self._look_at_console():
            return True
        if not down:
            return False
        end = End(info.shutdown_reason, "", "", "", None)
        expect_good(info.name, end)
        if self._condition == "shutdown":
            return True
        # One that is kept stays as it is; else xld is about to restart or destroy it.
        if self._is_kept():
            # xld told of the end when it had read the console; we may have looked at that before.
            if self._matcher is not None and self._look_at_history():
                return True
            raise ended(info.name, end)
        return False

    def _look_at_history(self) -> bool:
        assert self._matcher is not None
        self._matcher.restart()
        self._match = self._matcher.feed(self._client.call(endpoints.CONSOLE, domain=str(self._domid), query={"history": True}))
        return self._match is not None

    def _is_kept(self) -> bool:
        mine = [event for event in self._client.recent_events() if event.domid == self._domid]
        actions = [event.end.action for event in mine if event.end is not None]
        return "preserve" in actions[-1:] or (not actions and any(event.event == "adopted" for event in mine))

    def _look_at_console(self) -> bool:
        """Attaches; what was printed before comes first."""
        assert self._matcher is not None
        self._close_console()
        self._matcher.restart()
        try:
            self._console = self._client.console(str(self._domid))
        except NotFound:
            return False  # it ends or restarts just now: the events tell
        return self._drain_console()

    def _drain_console(self) -> bool:
        """What is there of its text, without waiting."""
        while self._console is not None and self._matcher is not None:
            data = self._console.read(timeout=0)
            if data is None:
                return False
            if not data:
                self._close_console()
                return False
            self._match = self._matcher.feed(data)
            if self._match:
                return True
        return False

    def _follow(self, events: Events) -> bool:
        now = Deadline(0)
        while True:
            event = events.before(now)
            if event is not None:
                if event.domid == self._domid and self._consider(event):
                    return True
                continue
            if self._drain_console():
                return True
            if self._deadline.over:
                raise self._too_late()
            sources = [events.fileno()] + ([self._console.fileno()] if self._console is not None else [])
            select.select(sources, [], [], self._deadline.left())

    def _consider(self, event: Event) -> bool:
        self._name = event.name
        if event.end is not None:
            return self._consider_end(event, event.end)
        return (self._condition, event.event) in (("booted", "booted"), ("running", "unpaused"))

    def _consider_end(self, event: Event, end: End) -> bool:
        if self._drain_console():
            return True
        if self._condition == "shutdown" and event.event == "shutdown":
            expect_good(event.name, end)
            return True
        if event.event == "resumed" or (event.event == "shutdown" and end.action != "preserve"):
            return False  # more follows
        if end.successor is None:
            expect_good(event.name, end)
            raise ended(event.name, end)
        # It keeps name and uuid, not always both: a rename-restart leaves the old one behind.
        self._domid = end.successor
        try:
            return self._look(self._client.info(str(end.successor)))
        except NotFound:
            return False  # that one has ended already: the events tell
