# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, as exceptions: one class for each code of the API's Error, all of them XlError."""
from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence, Tuple

from ._models import Diagnostic, Location, diagnostics_of


class XlError(Exception):
    """One error of xld, or of the way to it.

    code        one of openapi.yaml's Error, or "domain_ended": what a caller can do with it
    id          which error it is, finer than its code; empty if this module found it itself, or xld does not say
    message     the root cause, with the value
    hint        what to do; may be empty
    context     what was being done, innermost first
    phase       the part of the work that failed; empty if xld does not say
    location    where in which file; None if it is about no file
    diagnostics all findings in a config, each with its location
    rendered    the same as text for a terminal, with line and caret; may be empty
    """

    code = "internal"

    def __init__(self, message: str, hint: str = "", context: Sequence[str] = (), *, phase: str = "",
                 location: Optional[Location] = None, diagnostics: Sequence[Diagnostic] = (), rendered: str = "",
                 code: Optional[str] = None, id: str = "") -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.id = id
        self.message = message
        self.hint = hint
        self.context: Tuple[str, ...] = tuple(context)
        self.phase = phase
        self.diagnostics: Tuple[Diagnostic, ...] = tuple(diagnostics)
        self.location = location or next((found.location for found in self.diagnostics if found.location.line), None)
        self.rendered = rendered

    def __str__(self) -> str:
        text = self.message
        if self.context:
            text += " (" + ", ".join("while " + what for what in self.context) + ")"
        return text + ("; " + self.hint if self.hint else "")


class InvalidArgument(XlError):
    """A value of the caller is wrong."""
    code = "invalid_argument"


class InvalidConfig(XlError):
    """A configuration file or an override is wrong; see `diagnostics`."""
    code = "invalid_config"


class InvalidImage(XlError):
    """A kernel or ramdisk cannot be used."""
    code = "invalid_image"


class NotFound(XlError):
    """No such domain or file, or no xld."""
    code = "not_found"


class AlreadyExists(XlError):
    """The name is taken."""
    code = "already_exists"


class PermissionDenied(XlError):
    code = "permission_denied"


class NotSupported(XlError):
    """Known, and not possible here."""
    code = "not_supported"


class NoMemory(XlError):
    """The hypervisor or the host has not enough."""
    code = "no_memory"


class LimitReached(XlError):
    """A fixed bound was reached."""
    code = "limit"


class Busy(XlError):
    """Try again."""
    code = "busy"


class Timeout(XlError):
    """The guest, or what was waited for, took longer than was given."""
    code = "timeout"


class IoError(XlError):
    """A system call failed, or xld went away."""
    code = "io"


class ProtocolError(XlError):
    """Either side said what the other does not understand."""
    code = "protocol"


class HypervisorGone(XlError):
    """The hypervisor died or hangs."""
    code = "hypervisor_gone"


class Interrupted(XlError):
    code = "interrupted"


class InternalError(XlError):
    """A bug in xld."""
    code = "internal"


class DomainEnded(XlError):
    """What was waited for cannot come any more: the domain has ended.

    reason             as in Event.end; None: somebody destroyed it
    last_console_line  the last line that it printed; may be empty
    report             what the hypervisor logged of a crash or a triple fault; may be empty
    """
    code = "domain_ended"

    def __init__(self, message: str, reason: Optional[str] = None, last_console_line: str = "",
                 report: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.last_console_line = last_console_line
        self.report = report


BY_CODE = {kind.code: kind for kind in (
    InvalidArgument, InvalidConfig, InvalidImage, NotFound, AlreadyExists, PermissionDenied, NotSupported, NoMemory,
    LimitReached, Busy, Timeout, IoError, ProtocolError, HypervisorGone, Interrupted, InternalError)}


def error_from(body: object, status: int) -> XlError:
    """The exception for a response's body; a code that a newer xld has is an XlError with that code."""
    error: Any = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return ProtocolError(f"xld answered with status {status}")
    code = str(error.get("code", "internal"))
    place = error.get("location")
    return BY_CODE.get(code, XlError)(
        str(error.get("message", "")), str(error.get("hint", "")), [str(what) for what in error.get("context", ())],
        phase=str(error.get("phase", "")), location=Location.take(place) if isinstance(place, Mapping) else None,
        diagnostics=diagnostics_of(error.get("diagnostics", ())), rendered=str(error.get("rendered", "")), code=code,
        id=str(error.get("id", "")))
