# SPDX-License-Identifier: Apache-2.0
"""A domain's nodes in the xenstore, with names for what is one domain's alone: values, permissions and all. Both hypervisors'
tests hold what our xl writes to store_tree.golden, which is what the real Xen's toolstack and xenconsoled make of it."""
import re
from pathlib import Path

GOLDEN = Path(__file__).parent / "store_tree.golden"
# Differs between two domains of one toolstack too. What stands for a value says what it has to look like.
VALUES = [
    (r"/local/domain/N/(console|store)/port", r"\d+", "PORT"),
    (r"/local/domain/N/(console|store)/ring-ref", r"\d+", "FRAME"),
    (r"/local/domain/N/console/tty", r"/dev/pts/\d+", "TTY"),
    (r"/vm/UUID/start_time", r"\d+\.\d\d", "TIME"),
]
LINE = re.compile(r'(?P<path>/\S*) = "(?P<value>.*)"\s+[. ]*\((?P<permissions>[^()]*)\)')


def generalised(text, domid, uuid):
    text = text.replace(uuid, "UUID")
    return re.sub(rf"(/local/domain/|/libxl/|/backend/\w+/){domid}\b", r"\1N", text)


def node(line, domid, uuid):
    """One line of `xenstore-ls -f -p`: path, value and permissions."""
    parts = LINE.fullmatch(line)
    path, value = (generalised(parts[key], domid, uuid) for key in ("path", "value"))
    for of, like, name in [*VALUES, (r".*/(domid|frontend-id)", str(domid), "N")]:
        if re.fullmatch(of, path) and re.fullmatch(like, value):
            value = name
    permissions = re.sub(rf"(?<=[nrwb]){domid}(?=,|$)", "N", parts["permissions"])
    return f"{path} = {value} ({permissions})"


def tree(listing, domid, uuid):
    """The domain's part of what `xenstore-ls -f -p` prints."""
    mine = re.compile(rf"/(local/domain/{domid}|libxl/{domid}|vm/{uuid}|local/domain/0/backend/\w+/{domid})(/| )")
    return sorted(node(line, domid, uuid) for line in listing.splitlines() if mine.match(line))


def expected(pty=True):
    """`pty`: the console is served at a terminal, as by xenconsoled; xld gives it to those who attach."""
    text = GOLDEN.read_text(encoding="utf-8")
    return (text if pty else text.replace(" = TTY (", " =  (")).splitlines()


# The domain that the golden file is of, as keys of a configuration.
KEYS = {"memory": 32, "maxmem": 64, "vcpus": 1, "maxvcpus": 3, "extra": "a word", "on_crash": "preserve"}
