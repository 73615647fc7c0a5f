# SPDX-License-Identifier: Apache-2.0
"""What the tests of the Python module share: a daemon on the fake hypervisor that the module starts through xl, and a
watch over every request, which has to be one that openapi.yaml describes."""
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import jsonschema

XL, XLD, TREE = (os.path.abspath(path) for path in sys.argv[1:4])
sys.path[:0] = [TREE + "/python", TREE + "/tests"]
import fake  # noqa: E402
import openapi  # noqa: E402
import xlpp  # noqa: E402
from xlpp import _client  # noqa: E402

PATIENCE = 60
SPEC = openapi.load(TREE + "/libxl++/api/openapi.yaml")
used = set()  # endpoints that a request was made of


def operation_of(endpoint):
    """What openapi.yaml says of it."""
    return SPEC["paths"][endpoint.path][endpoint.method.lower()]


class WatchedClient(xlpp.Client):
    def _send(self, endpoint, body, domain, query, upgrade=""):
        used.add(endpoint)
        operation = openapi.resolve(SPEC, operation_of(endpoint))
        if body is None:
            assert not operation.get("requestBody", {}).get("required"), endpoint
        else:
            jsonschema.validate(body, operation["requestBody"]["content"]["application/json"]["schema"])
        parameters = {entry["name"]: entry["schema"] for entry in operation.get("parameters", ())}
        for name, value in (query or {}).items():
            if value is not None:
                jsonschema.validate(value, parameters[name])
        assert not upgrade or "101" in operation["responses"], endpoint
        return super()._send(endpoint, body, domain, query, upgrade)


class PythonTest(unittest.TestCase):
    guest = "idle"  # what a domain of the fake does once it runs

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="xl-python-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        os.environ |= {"XLD": XLD, "XLD_FAKE_GUEST": self.guest}
        (self.dir / "kernel").write_bytes(fake.kernel())
        (self.dir / "guest.cfg").write_text(fake.CONFIG, encoding="utf-8")
        self.xl = self.client()
        self.addCleanup(lambda: self.client().stop_daemon(destroy_domains=True))

    def client(self, **more):
        return WatchedClient(self.dir / "run", xl=XL, **more)

    def create(self, **more):
        return self.xl.create(self.dir / "guest.cfg", working_directory=self.dir, **more)
