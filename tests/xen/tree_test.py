#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A domain made by ours is to the stock toolstack, and to its guest, what its own is: the same xenstore nodes with the same
permissions, the same record of libxl, the same answer of the hypervisor."""
import json
from pathlib import Path
import host
from host import ours, stock
from store_tree import generalised, tree

USERDATA = Path("/var/lib/xen")


def about(name):
    """All that there is to be seen of a paused domain: by the store, by libxl's files, by the stock tool."""
    domid = host.domains()[name]
    uuid = host.run("xenstore-read", f"/local/domain/{domid}/vm").stdout.strip().removeprefix("/vm/")
    host.wait_until(lambda: "/dev/pts/" in host.run("xenstore-read", f"/local/domain/{domid}/console/tty").stdout,
                    "xenconsoled has given it a terminal")
    files = {generalised(path.name, 0, uuid).replace(f".{domid}.", ".N."): path for path in USERDATA.iterdir() if uuid in path.name}
    listed = json.loads(stock("list", "-l", name).stdout)
    row = stock("list", name).stdout.splitlines()[1].split()
    return {
        "tree": tree(host.run("xenstore-ls", "-f", "-p").stdout, domid, uuid),
        "files": {key: (oct(path.stat().st_mode), json.loads(generalised(path.read_text().rstrip("\0"), domid, uuid)))
                  for key, path in files.items()},
        "long list": json.loads(generalised(json.dumps([entry | {"domid": "N"} for entry in listed]), domid, uuid)),
        "row": row[:1] + row[2:5],
    }


class Tree(host.XenTest):
    maxDiff = None

    def expect_same(self, name, path):
        seen = []
        for xl in (stock, ours):
            xl("create", "-p", path)
            seen.append(about(name))
            stock("destroy", name)
        self.assertGreater(len(seen[0]["tree"]), 40)
        self.assertEqual(list(seen[0]["files"]), ["userdata-d.N.UUID.libxl-json"])
        for key, theirs in seen[0].items():
            self.assertEqual(seen[1][key], theirs, f"{key}: ours, then the stock one's")

    def test_a_tiny_guest(self):
        self.expect_same("tiny", host.tiny("tiny", extra="one two", on_crash="preserve"))

    def test_vcpus_to_come_and_memory_on_demand(self):
        self.expect_same("grows", host.tiny("grows", vcpus=2, maxvcpus=4, memory=32, maxmem=64))

    def test_a_linux_with_a_ramdisk(self):
        self.expect_same("linux", host.debian("linux", vcpus=2, cpu_weight=512, cpus="0-1"))


if __name__ == "__main__":
    host.main()
