# SPDX-License-Identifier: Apache-2.0
"""What the test of the API needs besides: openapi.yaml, a connection, and a kernel to create domains from."""
import http.client
import socket
import struct
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


def tiny_kernel():
    """The smallest ELF32 file with a PVH entry."""
    note = struct.pack("<III4sI", 4, 4, 18, b"Xen\0", 0x100000)
    code = b"\xf4" * 4096
    offset = 52 + 2 * 32
    head = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 2, 3, 1, 0x100000, 52, 0, 0, 52, 32, 2, 0, 0, 0)
    load = struct.pack("<8I", 1, offset, 0x100000, 0x100000, len(code), len(code), 7, 4096)
    notes = struct.pack("<8I", 4, offset + len(code), 0, 0, len(note), len(note), 4, 4)
    return head + load + notes + code + note


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("xld")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)
