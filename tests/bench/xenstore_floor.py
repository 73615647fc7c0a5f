# SPDX-License-Identifier: Apache-2.0
"""How long the host's xenstored takes for the nodes of a domain when a client does nothing but ask for them: no toolstack that
makes the same tree can be faster. With the fewest requests that make it, over as many sockets as help.
"""
import re
import socket
import struct
import subprocess
import time

SOCKET = "/run/xenstored/socket"
SOCKETS = 16
WRITE, REMOVE, SET_PERMISSIONS = 11, 13, 14  # XS_WRITE, XS_RM, XS_SET_PERMS
LINE = re.compile(r'^(/\S+) = "(.*)"   \((.*)\)$')
STAND_IN = 30000  # as domain number


def request(kind, *strings):
    payload = b"".join(text.encode() for text in strings)
    return struct.pack("<IIII", kind, 0, 0, len(payload)) + payload


def parent_of(path):
    return path.rpartition("/")[0]


class Tree:
    """The nodes of a domain, as requests that make them for a domain that is not there."""

    def __init__(self, domid):
        roots = [f"/local/domain/{domid}", f"/libxl/{domid}", f"/local/domain/0/backend/console/{domid}"]
        nodes = {}
        for line in subprocess.run(["xenstore-ls", "-fp"], capture_output=True, text=True, check=True).stdout.splitlines():
            if found := LINE.match(line):
                nodes[found[1]] = (found[2], found[3])
        roots.append(nodes[f"/local/domain/{domid}/vm"][0])
        mine = {path: node for path, node in nodes.items() if any(f"{path}/".startswith(f"{root}/") for root in roots)}
        parents = {parent_of(path) for path in mine}
        self.roots = [self.moved(root, domid) for root in roots]
        self.directories, self.leaves = [], []
        for path, (value, permissions) in mine.items():
            inherited = mine.get(parent_of(path), (None, "n0"))[1] == permissions
            if path in parents and inherited:
                continue
            group = [request(WRITE, self.moved(path, domid), "\0", value)]
            if not inherited:
                entries = [f"{entry[0]}{STAND_IN if entry[1:] == str(domid) else entry[1:]}\0" for entry in permissions.split(",")]
                group.append(request(SET_PERMISSIONS, self.moved(path, domid), "\0", *entries))
            (self.directories if path in parents else self.leaves).append(group)

    @staticmethod
    def moved(path, domid):
        path = re.sub(rf"^(/local/domain|/libxl|/local/domain/0/backend/console)/{domid}(?=/|$)", rf"\1/{STAND_IN}", path)
        return re.sub(r"^/vm/[^/]*", "/vm/00000000-0000-0000-0000-000000030000", path)

    def count(self):
        return sum(map(len, self.directories + self.leaves))


class BareClient:
    def __init__(self):
        self.sockets = [socket.socket(socket.AF_UNIX) for _ in range(SOCKETS)]
        for one in self.sockets:
            one.connect(SOCKET)

    def ask(self, groups):
        shares = [[] for _ in self.sockets]
        for group in groups:
            min(shares, key=len).extend(group)
        for one, share in zip(self.sockets, shares):
            one.sendall(b"".join(share))
        for one, share in zip(self.sockets, shares):
            missing = 19 * len(share)  # each answer is a header and "OK"
            while missing > 0:
                got = one.recv(65536)
                if b"E" in got or not got:
                    raise RuntimeError(f"xenstored refuses: {got!r}")
                missing -= len(got)

    def milliseconds(self, tree):
        begun = time.perf_counter()
        self.ask(tree.directories)
        self.ask(tree.leaves)
        taken = (time.perf_counter() - begun) * 1e3
        self.ask([[request(REMOVE, root, "\0")] for root in tree.roots])
        return taken
