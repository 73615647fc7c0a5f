# SPDX-License-Identifier: Apache-2.0
"""The daemon's API over one connection that is kept open: for many domains without as many processes."""
import http.client
import json
import socket

import harness


class Api(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        self.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        response = self.getresponse()
        data = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {data[:300]!r}")
        return json.loads(data) if data else None

    def counters(self):
        return self.ask("GET", "/v1/host/counters")["counters"]


def create_idle(machine, api, name):
    """A domain of 2 MiB that waits for ever."""
    arguments = machine.configuration(harness.GUESTS / "idle.elf", memory=2, name=name)
    return api.ask("POST", "/v1/domains", {"config": {"name": "scale", "text": "\n".join(arguments[1:]) + "\n"}})


def resident_kib(pid):
    """Private memory and program text; guests' memory is shared with QEMU and not the daemon's own."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["RssAnon"].split()[0]) + int(fields["RssFile"].split()[0])
