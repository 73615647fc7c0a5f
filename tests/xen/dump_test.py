#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Core files of domains that have less memory than maxmem, and no balloon driver that would give anything back."""
import ctypes
import re
import struct
import sys
from pathlib import Path
import host
from host import ours, stock
from together import Together, flags, talk

sys.path.insert(0, str(Path(__file__).parents[1] / "vm"))
from actions_test import Core, PAGE  # noqa: E402

CORE = Path("/tmp/guest.core")
LESS = {"memory": 32, "maxmem": 64}
MARK = struct.pack("<Q", 0x7365637265742121)  # of scrub.elf


def pages_of(domid):
    """What Xen counts: the pages that are the domain's, those of them that are only set aside, and those that it was promised."""
    library = ctypes.CDLL(next(Path("/usr/lib").glob("*/libxenctrl.so.*")))
    library.xc_interface_open.restype = ctypes.c_void_p
    interface = ctypes.c_void_p(library.xc_interface_open(None, None, 0))
    counts = [ctypes.c_uint64() for _ in range(3)]
    status = library.xc_domain_get_pod_target(interface, domid, *map(ctypes.byref, counts))
    library.xc_interface_close(interface)
    if status != 0:
        raise AssertionError(f"what does domain {domid} have?")
    return tuple(count.value for count in counts)


class Dumps(Together):
    def setUp(self):
        super().setUp()
        self.make(ours, "other", memory=48)  # has the same frames
        self.addCleanup(CORE.unlink, missing_ok=True)
        # Xen ends what was looked at behind the scenes.
        self.addCleanup(lambda: host.wait_until(lambda: "(null)" not in stock("list").stdout, "all that it made is gone"))

    def dump(self, name, *options):
        """Nothing is given to the domain for it, and the file has what the domain has."""
        before = pages_of(host.domains()[name])
        ours("dump-core", *options, name, CORE)
        self.assertEqual(pages_of(host.domains()[name]), before)
        core = Core(CORE.read_bytes())
        total, only_set_aside, promised = before
        self.assertGreater(promised, only_set_aside)
        self.assertEqual(len(core.frames()), total - only_set_aside)
        self.assertEqual(sorted(set(core.frames())), list(core.frames()))
        return core

    def expect_kernel(self, core, guest):
        kernel = (host.GUESTS / f"{guest}.elf").read_bytes()
        offset, = struct.unpack_from("<Q", kernel, 64 + 8)  # the first segment, at 1 MiB
        self.assertIn(kernel[offset + 0x800:offset + 0x900], core.page(0x100) + core.page(0x101))

    def test_before_it_runs(self):
        self.make(ours, "fresh", "-p", **LESS)
        self.expect_kernel(self.dump("fresh"), "idle")
        ours("unpause", "fresh")
        self.expect_log("fresh", "READY")

    def test_while_it_runs(self):
        self.make(ours, "less", guest="echo", **LESS)
        talk(ours, "less", "before", "echo: before")
        self.expect_kernel(self.dump("less"), "echo")
        talk(ours, "less", "between", "echo: between")
        self.expect_kernel(self.dump("less", "--live"), "echo")
        talk(ours, "less", "after", "echo: after")
        self.assertIn(flags(stock, "less")[:3], ("-b-", "r--", "---"))

    def test_one_of_the_stock_xl(self):
        self.make(stock, "foreign", guest="echo", **LESS)
        talk(stock, "foreign", "before", "echo: before")
        self.expect_kernel(self.dump("foreign"), "echo")
        talk(stock, "foreign", "after", "echo: after")

    def expect_marks(self, core):
        """What scrub.elf wrote to each frame, until Xen had none left for it."""
        start, size = core.sections[".xen_pages"]
        pages = (core.data[at:at + PAGE] for at in range(start, start + size, PAGE))
        marked = sum(page[:8] == page[-8:] == MARK for page in pages)
        self.assertGreater(marked, (LESS["memory"] - 2 << 20) / PAGE)

    def test_one_that_has_used_up_all(self):
        self.make(ours, "full", guest="scrub", on_crash="preserve", **LESS)
        host.wait_until(lambda: flags(stock, "full")[3:5] == "sc", "it touches more than it may have", 60)
        self.assertEqual(pages_of(host.domains()["full"])[1], 0)
        self.expect_marks(self.dump("full"))
        ours("destroy", "full")

    def test_on_crash(self):
        ours("create", host.tiny("crashes", guest="scrub", on_crash="coredump-destroy", **LESS))
        self.expect_gone("crashes", 60)
        core, = Path("/var/lib/xen/dump").glob("crashes-*.core")
        self.addCleanup(core.unlink)
        self.expect_marks(Core(core.read_bytes()))
        self.assertRegex(ours("events").stdout, rf"coredump .* crashes .*{re.escape(str(core))}")


if __name__ == "__main__":
    host.main()
