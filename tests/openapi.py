# SPDX-License-Identifier: Apache-2.0
"""openapi.yaml as JSON Schema, for the tests that hold what is said over the API to it."""
from pathlib import Path

import yaml


def load(path):
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def resolve(spec, node):
    """The node with its references followed, and OpenAPI's `nullable` as JSON Schema says it."""
    if isinstance(node, list):
        return [resolve(spec, entry) for entry in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = spec
        for step in node["$ref"][2:].split("/"):
            target = target[step]
        return resolve(spec, target)
    out = {key: resolve(spec, value) for key, value in node.items()}
    if out.pop("nullable", False):
        out["type"] = [out["type"], "null"]
    return out
