# SPDX-License-Identifier: Apache-2.0
"""What xld answers, as plain values with openapi.yaml's names. Members that a newer xld adds are left out."""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple, Type, TypeVar

T = TypeVar("T", bound="Model")
Json = Dict[str, Any]


class Model:
    @classmethod
    def take(cls: Type[T], body: Mapping[str, Any]) -> T:
        """Those members of a JSON object that this class knows. KeyError: one without a default is missing."""
        values = {}
        for field in dataclasses.fields(cls):
            if field.name in body:
                values[field.name] = body[field.name]
            elif field.default is dataclasses.MISSING:
                raise KeyError(field.name)
        return cls(**values)


@dataclass(frozen=True)
class Location(Model):
    """A place in a file; lines and columns count from 1, line 0 is no place."""
    file: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Diagnostic:
    """One finding in a config."""
    severity: str  # "error" or "warning"
    message: str
    hint: str
    location: Location
    text: str  # the line that it is about


def diagnostics_of(entries: Any) -> List[Diagnostic]:
    return [Diagnostic(str(entry.get("severity", "error")), str(entry.get("message", "")), str(entry.get("hint", "")),
                       Location.take(entry), str(entry.get("snippet", {}).get("text", ""))) for entry in entries]


@dataclass(frozen=True)
class DomainInfo(Model):
    domid: int
    name: str
    uuid: str
    running: bool
    blocked: bool
    paused: bool
    dying: bool
    shutdown_reason: Optional[str]  # set: it has shut down and still exists
    memory_kib: int
    max_memory_kib: int
    cpu_time_ns: int
    vcpus_online: int
    max_vcpus: int
    overhead_bytes: int
    created_ms: int  # since 1970
    booted: bool


@dataclass(frozen=True)
class Memory(Model):
    target_kib: int  # what the balloon driver is asked for
    static_max_kib: int
    current_kib: int
    hypervisor_max_kib: int
    has_driver: bool


@dataclass(frozen=True)
class VcpuCount(Model):
    online: int
    max: int


@dataclass(frozen=True)
class Vcpu(Model):
    domid: int
    name: str
    vcpu: int
    online: bool
    blocked: bool
    running: bool
    cpu: int
    cpu_time_ns: int
    hard_affinity: str
    soft_affinity: str


@dataclass(frozen=True)
class Share(Model):
    """A domain's share of the CPUs; cap in per cent of one CPU, 0 for none."""
    domid: int
    name: str
    weight: int
    cap: int


@dataclass(frozen=True)
class Checked(Model):
    """What a config would give."""
    name: str
    layout: str
    rendered_warnings: str
    libxl: str = ""  # what `xl -N create` prints


@dataclass(frozen=True)
class Converted(Model):
    """A config in another format."""
    text: str
    rendered_warnings: str


@dataclass(frozen=True)
class Validated:
    """What was found in some configs."""
    valid: bool  # there is no error
    diagnostics: Tuple[Diagnostic, ...]
    rendered: str  # all of them, each with its line and a caret
    sarif: Optional[Json]  # SARIF 2.1.0, if it was asked for


@dataclass(frozen=True)
class End(Model):
    reason: Optional[str]  # poweroff, reboot, suspend, crash, watchdog, soft_reset; None: destroyed
    last_console_line: str
    report: str
    action: str  # what follows, in xl.cfg's words
    successor: Optional[int]  # domid after a restart
    cause: str = ""  # "triple fault", whose reason is reboot


@dataclass(frozen=True)
class Event(Model):
    """Something that happened to a domain; `event` is one of openapi.yaml's Event, `seq` rises."""
    seq: int
    time_ms: int
    event: str
    domid: int
    name: str
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    end: Optional[End] = None

    @classmethod
    def take(cls, body: Mapping[str, Any]) -> Event:
        end = body.get("end")
        return cls(body["seq"], body["time_ms"], body["event"], body["domid"], body["name"],
                   dict(body.get("details", {})), None if end is None else End.take(end))


@dataclass(frozen=True)
class Host(Model):
    hypervisor: str
    hypervisor_version: str
    scheduler: str
    hypervisor_machine: str
    capabilities: str
    toolstack_version: str
    node: str
    cpus: int
    cpu_khz: int
    total_memory_kib: int
    free_memory_kib: int
    scrub_pending_kib: int
    overhead_kib: int


@dataclass(frozen=True)
class Daemon(Model):
    pid: int
    socket: str
    version: str
    runtime_dir: str
    log_file: str
    hypervisor_running: bool
    hypervisor: str
    domains: int
    started_ms: int
    xenstore_sockets: Tuple[str, ...] = ()


@dataclass(frozen=True)
class HypervisorLog(Model):
    text: str
    next: int  # the offset behind it
