# SPDX-License-Identifier: Apache-2.0
"""What the test of the API needs besides: openapi.yaml, and a connection."""
import http.client
import socket
import sys

import yaml

with open(sys.argv[2], encoding="utf-8") as openapi:
    spec = yaml.safe_load(openapi)


def resolve(node):
    """OpenAPI's `nullable` and references, as JSON Schema knows them."""
    if isinstance(node, list):
        return [resolve(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = spec
        for step in node["$ref"][2:].split("/"):
            target = target[step]
        return resolve(target)
    out = {key: resolve(value) for key, value in node.items()}
    if out.pop("nullable", False):
        out["type"] = [out["type"], "null"]
    return out


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("xld")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)
