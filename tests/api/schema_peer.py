# SPDX-License-Identifier: Apache-2.0
"""What the test of the API needs besides: openapi.yaml, and a connection."""
import http.client
import socket
import sys

import openapi

spec = openapi.load(sys.argv[2])


def resolve(node):
    return openapi.resolve(spec, node)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("xld")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)
