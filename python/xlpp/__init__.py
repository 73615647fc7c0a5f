# SPDX-License-Identifier: Apache-2.0
"""Xen PVH domains on any Linux machine, from Python: the API of xl++'s daemon xld.

    import xlpp

    with xlpp.Client() as xl:                                # starts xld if need be, as xl does
        with xl.create("guest.cfg", overrides={"memory": 256}) as domain:
            domain.wait("booted", timeout=60)
            with domain.console() as console:
                console.write("make check\n")
                print(console.wait_for(r"(\\d+) failed", timeout=600)[1])
            domain.shutdown(wait=True)                       # the end of the block destroys what is left

Standard library alone. Everything that fails is an XlError with `code`, `message`, `hint` and, for configs,
`location` and `diagnostics`; each code has a class. Times are seconds, sizes KiB, where the name says nothing else.
"""
from ._client import Client
from ._console import Console
from ._domain import Domain
from ._errors import (AlreadyExists, Busy, DomainEnded, HypervisorGone, InternalError, Interrupted, InvalidArgument,
                      InvalidConfig, InvalidImage, IoError, LimitReached, NoMemory, NotFound, NotSupported,
                      PermissionDenied, ProtocolError, Timeout, XlError)
from ._events import Events
from ._launch import default_runtime_dir
from ._models import (Checked, Converted, Daemon, Diagnostic, DomainInfo, End, Event, Host, HypervisorLog, Location,
                      Memory, Share, Validated, Vcpu, VcpuCount)

__all__ = [
    "AlreadyExists", "Busy", "Checked", "Client", "Console", "Converted", "Daemon", "Diagnostic", "Domain", "DomainEnded",
    "DomainInfo", "End", "Event", "Events", "Host", "HypervisorGone", "HypervisorLog", "InternalError", "Interrupted",
    "InvalidArgument", "InvalidConfig", "InvalidImage", "IoError", "LimitReached", "Location", "Memory", "NoMemory",
    "NotFound", "NotSupported", "PermissionDenied", "ProtocolError", "Share", "Timeout", "Validated", "Vcpu", "VcpuCount", "XlError",
    "default_runtime_dir",
]
