# SPDX-License-Identifier: Apache-2.0
"""Client: one xld."""
from __future__ import annotations

import base64
import fcntl
import json
import os
from types import TracebackType
from typing import Any, Dict, Iterable, List, Literal, Mapping, Optional, Tuple, Type, Union

from . import _endpoints as endpoints
from ._console import Console
from ._domain import Domain
from ._endpoints import Endpoint
from ._errors import InvalidArgument, IoError, NotFound, ProtocolError, error_from
from ._events import Events
from ._http import Connection, Head
from ._launch import connect_or_start, default_runtime_dir
from ._models import (Checked, Converted, Daemon, DomainInfo, Event, Host, HypervisorLog, Json, Share, Validated, Vcpu,
                      diagnostics_of)

ConfigValue = Union[str, int, bool, List[str], List[int]]
Overrides = Union[Mapping[str, ConfigValue], Iterable[str]]
Path = Union[str, "os.PathLike[str]"]
Format = Literal["cfg", "yaml", "json", "xml"]


def config_literal(value: ConfigValue) -> str:
    """A value as xl.cfg(5) writes it."""
    if isinstance(value, str):
        quoted = ("\\" + c if c in "\\\"" else c if c >= " " and c != "\x7f" else f"\\x{ord(c):02x}" for c in value)
        return '"' + "".join(quoted) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(config_literal(entry) for entry in value) + "]"
    return str(int(value))


def _override_list(overrides: Overrides) -> List[str]:
    if isinstance(overrides, Mapping):
        return [f"{key}={config_literal(value)}" for key, value in overrides.items()]
    return list(overrides)


def _config_source(config: Optional[Path], text: Union[str, bytes, None]) -> Json:
    if config is not None and text is not None:
        raise InvalidArgument("config and text are both given")
    name = "text" if config is None else os.fspath(config)
    data = text.encode() if isinstance(text, str) else text or b""
    if config is not None:
        try:
            with open(config, "rb") as file:
                data = file.read(1024 * 1024 + 1)  # xld says that this is too much
        except OSError as error:
            kind = NotFound if isinstance(error, FileNotFoundError) else IoError
            raise kind(f"reading the config file '{name}': {error.strerror}") from error
    try:
        return {"name": name, "text": data.decode()}
    except UnicodeDecodeError:
        return {"name": name, "text_base64": base64.b64encode(data).decode()}


def _repeatable(endpoint: Endpoint) -> bool:
    """Doing it twice is doing it once."""
    return endpoint.method in ("GET", "DELETE") or endpoint in (endpoints.PAUSE, endpoints.UNPAUSE, endpoints.CHECK,
                                                                endpoints.CONVERT, endpoints.VALIDATE)


class Client:
    """The domains of one xld. Holds no connection: any thread may use it, and it goes on when xld is restarted.

    runtime_dir  the folder that makes one daemon; as in xl(1) if none is given
    xl           the xl that starts it; the one on the PATH if none is given
    start        start xld if it does not run, as xl does; else that is NotFound
    """

    def __init__(self, runtime_dir: Optional[Path] = None, *, xl: Optional[Path] = None, start: bool = True) -> None:
        self.runtime_dir = default_runtime_dir() if runtime_dir is None else os.path.abspath(runtime_dir)
        self._xl = None if xl is None else os.fspath(xl)
        self._start = start

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        """Domains and xld run on; there is nothing to close."""

    # --- domains; `domain` is a name or a domid ---

    def create(self, config: Optional[Path] = None, *, text: Union[str, bytes, None] = None, overrides: Overrides = (),
               paused: bool = False, working_directory: Optional[Path] = None) -> Domain:
        """Makes a domain from a file, from text, or from overrides alone.

        overrides  key=value words as `xl create` takes them, or a mapping of keys to Python values
        """
        request = self._create_request(config, text, overrides, working_directory)
        request["paused"] = paused
        made = self._json(endpoints.CREATE, request)
        notes = [*str(made["rendered_warnings"]).splitlines(), *map(str, made["warnings"])]
        return Domain(self, str(made["name"]), notes, {entry["phase"]: entry["ns"] for entry in made["phases"]})

    def check(self, config: Optional[Path] = None, *, text: Union[str, bytes, None] = None, overrides: Overrides = (),
              working_directory: Optional[Path] = None) -> Checked:
        """All that create checks, without making anything."""
        return Checked.take(self._json(endpoints.CHECK, self._create_request(config, text, overrides,
                                                                             working_directory)))

    @staticmethod
    def _create_request(config: Optional[Path], text: Union[str, bytes, None], overrides: Overrides,
                        working_directory: Optional[Path]) -> Json:
        return {"config": _config_source(config, text), "overrides": _override_list(overrides),
                "working_directory": os.path.abspath(working_directory or os.getcwd())}

    # --- configs alone; nothing is made, and no file is looked at but the config's own ---

    def convert(self, config: Optional[Path] = None, *, to: Format, text: Union[str, bytes, None] = None,
                source_format: Optional[Format] = None) -> Converted:
        """A config in another format, whether xl knows its keys or not. InvalidConfig.

        source_format  what it is in; else the file's extension or the text tells
        """
        request: Json = {"config": _config_source(config, text), "to": to}
        if source_format is not None:
            request["from"] = source_format
        return Converted.take(self._json(endpoints.CONVERT, request))

    def validate(self, *configs: Path, text: Union[str, bytes, None] = None, strict: bool = False,
                 sarif: bool = False) -> Validated:
        """All findings in config files, or in one text; errors in them are no exception.

        strict  unknown keys are errors
        sarif   the findings as SARIF as well
        """
        sources = [_config_source(config, None) for config in configs]
        if text is not None:
            sources.append(_config_source(None, text))
        if not sources:
            raise InvalidArgument("there is no config to validate")
        found = self._json(endpoints.VALIDATE, {"configs": sources, "strict": strict, "sarif": sarif})
        return Validated(bool(found["valid"]), tuple(diagnostics_of(found["diagnostics"])), str(found["rendered"]),
                         found.get("sarif"))

    def list(self) -> List[DomainInfo]:
        """All domains as they are now, Domain-0 first."""
        return [DomainInfo.take(entry) for entry in self._json(endpoints.LIST)["domains"]]

    def get(self, domain: Union[str, int]) -> Domain:
        """A domain that exists, by name or domid. NotFound."""
        return Domain(self, self.info(domain).name)

    def info(self, domain: Union[str, int]) -> DomainInfo:
        return DomainInfo.take(self._json(endpoints.FIND, domain=str(domain)))

    def console(self, domain: Union[str, int]) -> Console:
        """Attaches to its console."""
        connection, _ = self.open(endpoints.CONSOLE, str(domain), upgrade="xl-console")
        return Console(connection, str(domain))

    def libxl(self, domain: Union[str, int, None] = None) -> List[Json]:
        """What `xl list -l` prints."""
        entries: List[Json] = self._json(endpoints.LIBXL, query={"domain": None if domain is None else str(domain)})
        return entries

    def vcpus(self) -> List[Vcpu]:
        return [Vcpu.take(row) for row in self._json(endpoints.ALL_VCPUS)["vcpus"]]

    def shares(self) -> List[Share]:
        return [Share.take(row) for row in self._json(endpoints.ALL_SHARES)["domains"]]

    # --- what happens ---

    def events(self, after: Optional[int] = None) -> Events:
        """Events from now on; with `after`, first the kept ones with a higher number."""
        connection, _ = self.open(endpoints.EVENTS, query={"after": after})
        return Events(connection, after)

    def recent_events(self, after: int = 0) -> List[Event]:
        """The kept events with a higher number."""
        text = self.call(endpoints.EVENTS, query={"follow": False, "after": after})
        return [Event.take(json.loads(line)) for line in text.splitlines()]

    def metrics(self) -> str:
        """In Prometheus' text format."""
        return self.call(endpoints.METRICS).decode()

    # --- host, images, daemon ---

    def host(self) -> Host:
        return Host.take(self._json(endpoints.HOST))

    def counters(self) -> Dict[str, int]:
        counters: Dict[str, int] = self._json(endpoints.HOST_COUNTERS)["counters"]
        return counters

    def hypervisor_log(self, start: Optional[int] = None) -> HypervisorLog:
        return HypervisorLog.take(self._json(endpoints.HOST_LOG, query={"from": start}))

    def clear_hypervisor_log(self, before: int) -> None:
        self.call(endpoints.CLEAR_HOST_LOG, query={"before": before})

    def inspect(self, kernel: Path) -> Json:
        """What is seen in a kernel; a file that is none has "problems"."""
        report: Json = self._json(endpoints.INSPECT, {"path": os.path.abspath(kernel)})
        return report

    def daemon(self) -> Daemon:
        return Daemon.take(self._json(endpoints.DAEMON))

    def stop_daemon(self, *, destroy_domains: bool = False) -> None:
        """Ends xld and returns when it has gone; domains run on, unless they are to be destroyed."""
        # Domains may run without xld: then one is started that ends them.
        asked = self if destroy_domains else Client(self.runtime_dir, start=False)
        try:
            asked.call(endpoints.STOP_DAEMON, {"all": destroy_domains})
        except NotFound:
            return
        with open(os.path.join(self.runtime_dir, "xld.lock"), "rb") as lock:  # it holds this as long as it lives
            fcntl.flock(lock, fcntl.LOCK_SH)

    # --- requests, for this package's own use and for what it has no function for yet ---

    def call(self, endpoint: Endpoint, body: Optional[Json] = None, *, domain: str = "",
             query: Optional[Mapping[str, Any]] = None) -> bytes:
        """One request on a connection of its own; the body of its answer."""
        try:
            return self._call_once(endpoint, body, domain, query)
        except IoError:
            if not (self._start and _repeatable(endpoint)):
                raise
        try:
            return self._call_once(endpoint, body, domain, query)
        except NotFound:
            if endpoint.method != "DELETE":
                raise
            return b""  # the xld that died had done it already

    def _call_once(self, endpoint: Endpoint, body: Optional[Json], domain: str,
                   query: Optional[Mapping[str, Any]]) -> bytes:
        connection, head = self._send(endpoint, body, domain, query)
        try:
            answer = connection.body(head)
        finally:
            connection.close()
        if head.status >= 400:
            raise error_from(_parse(answer, head), head.status)
        return answer

    def _json(self, endpoint: Endpoint, body: Optional[Json] = None, *, domain: str = "",
              query: Optional[Mapping[str, Any]] = None) -> Any:
        return json.loads(self.call(endpoint, body, domain=domain, query=query))

    def open(self, endpoint: Endpoint, domain: str = "", *, query: Optional[Mapping[str, Any]] = None,
             upgrade: str = "") -> Tuple[Connection, Head]:
        """A stream; its connection is the caller's to close."""
        try:
            connection, head = self._send(endpoint, None, domain, query, upgrade)
        except IoError:  # xld died before it answered: nothing has begun
            if not self._start:
                raise
            connection, head = self._send(endpoint, None, domain, query, upgrade)
        if head.status == (101 if upgrade else 200):
            return connection, head
        try:
            answer = connection.body(head)
        finally:
            connection.close()
        raise error_from(_parse(answer, head), head.status)

    def _send(self, endpoint: Endpoint, body: Optional[Json], domain: str, query: Optional[Mapping[str, Any]],
              upgrade: str = "") -> Tuple[Connection, Head]:
        connection = Connection(connect_or_start(self.runtime_dir, self._xl, self._start))
        try:
            connection.send(endpoint.method, endpoint.target(domain, query or {}),
                            None if body is None else json.dumps(body).encode(), upgrade)
            return connection, connection.head()
        except BaseException:
            connection.close()
            raise


def _parse(body: bytes, head: Head) -> object:
    try:
        return json.loads(body)
    except ValueError:
        raise ProtocolError(f"xld answered with status {head.status}") from None
