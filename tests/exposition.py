# SPDX-License-Identifier: Apache-2.0
"""Prometheus' text exposition format 0.0.4, read strictly: what promtool warns of is an error here."""
import re
from collections import namedtuple

Sample = namedtuple("Sample", "name labels value")
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
LINE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
PARTS = {"summary": ("_sum", "_count"), "histogram": ("_sum", "_count", "_bucket")}


class Family:
    def __init__(self, name, documentation):
        self.name, self.documentation, self.type, self.samples = name, documentation, None, []

    def add(self, line):
        name, labels, value = LINE.fullmatch(line).groups()
        assert name in [self.name + part for part in PARTS.get(self.type, ("",))], f"{name} in {self.name}"
        pairs, at = {}, 0
        while labels and at < len(labels):
            match = LABEL.match(labels, at)
            assert match, f"labels of {line}"
            assert match[1] not in pairs, f"{match[1]} twice in {line}"
            pairs[match[1]] = re.sub(r"\\(.)", lambda escape: {"n": "\n"}.get(escape[1], escape[1]), match[2])
            at = match.end()
        assert (name, pairs) not in [(sample.name, sample.labels) for sample in self.samples[-200:]], f"{line}: twice"
        number = float(value)
        assert self.type == "gauge" or number >= 0, line
        self.samples.append(Sample(name, pairs, number))


def families(text):
    """By name; that of a counter without its _total."""
    assert text.endswith("\n")
    found, family = {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, documentation = line.split(" ", 3)
            assert re.fullmatch(NAME, name) and name not in found and documentation, line
            family = found[name] = Family(name, documentation)
        elif line.startswith("# TYPE "):
            _, _, name, family.type = line.split(" ")
            assert name == family.name and not family.samples, line
            assert family.type in ("gauge", "counter", "summary", "histogram"), line
            assert (family.type == "counter") == name.endswith("_total"), line
        else:
            assert family.type, f"{line}: without a type"
            family.add(line)
    return {name.removesuffix("_total"): family for name, family in found.items()}
