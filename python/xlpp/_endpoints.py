# SPDX-License-Identifier: Apache-2.0
"""Every endpoint that this module speaks to; openapi.yaml is the contract, and a test holds the two together."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Tuple, Union
from urllib.parse import quote, urlencode


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str  # openapi.yaml's
    query: Tuple[str, ...] = ()

    def target(self, domain: str, query: Mapping[str, Union[str, int, bool, None]]) -> str:
        """The request's target; parameters that are None are left out."""
        unknown = set(query) - set(self.query)
        assert not unknown, unknown
        given = {name: str(value).lower() if isinstance(value, bool) else str(value)
                 for name, value in query.items() if value is not None}
        path = self.path.replace("{domain}", quote(domain, safe=""))
        return path + ("?" + urlencode(given, quote_via=quote) if given else "")


_DOMAIN = "/v1/domains/{domain}"

LIST = Endpoint("GET", "/v1/domains")
CREATE = Endpoint("POST", "/v1/domains")
CHECK = Endpoint("POST", "/v1/check")
CONVERT = Endpoint("POST", "/v1/convert")
VALIDATE = Endpoint("POST", "/v1/validate")
LIBXL = Endpoint("GET", "/v1/libxl", ("domain",))
FIND = Endpoint("GET", _DOMAIN)
DESTROY = Endpoint("DELETE", _DOMAIN)
PAUSE = Endpoint("POST", _DOMAIN + "/pause")
UNPAUSE = Endpoint("POST", _DOMAIN + "/unpause")
RENAME = Endpoint("POST", _DOMAIN + "/rename")
CORE = Endpoint("GET", _DOMAIN + "/core", ("live", "compression"))
SHUTDOWN = Endpoint("POST", _DOMAIN + "/shutdown")
SYSRQ = Endpoint("POST", _DOMAIN + "/sysrq")
TRIGGER = Endpoint("POST", _DOMAIN + "/trigger")
VCPUS = Endpoint("GET", _DOMAIN + "/vcpus")
SET_VCPUS = Endpoint("POST", _DOMAIN + "/vcpus")
PIN = Endpoint("POST", _DOMAIN + "/affinity")
SHARE = Endpoint("GET", _DOMAIN + "/scheduling")
SET_SHARE = Endpoint("POST", _DOMAIN + "/scheduling")
MEMORY = Endpoint("GET", _DOMAIN + "/memory")
SET_MEMORY = Endpoint("POST", _DOMAIN + "/memory")
COUNTERS = Endpoint("GET", _DOMAIN + "/counters")
CONSOLE = Endpoint("GET", _DOMAIN + "/console", ("history",))
ALL_VCPUS = Endpoint("GET", "/v1/vcpus")
ALL_SHARES = Endpoint("GET", "/v1/scheduling")
EVENTS = Endpoint("GET", "/v1/events", ("follow", "after"))
HOST = Endpoint("GET", "/v1/host")
HOST_COUNTERS = Endpoint("GET", "/v1/host/counters")
HOST_LOG = Endpoint("GET", "/v1/host/log", ("from",))
CLEAR_HOST_LOG = Endpoint("DELETE", "/v1/host/log", ("before",))
METRICS = Endpoint("GET", "/v1/metrics")
INSPECT = Endpoint("POST", "/v1/images/inspect")
DAEMON = Endpoint("GET", "/v1/daemon")
STOP_DAEMON = Endpoint("POST", "/v1/daemon/stop")

ALL = tuple(value for value in globals().values() if isinstance(value, Endpoint))
