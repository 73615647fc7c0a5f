# SPDX-License-Identifier: Apache-2.0
"""Initramfs images of busybox and a script, made where a test needs another one than the demo's."""
import harness

PREAMBLE = """#!/bin/busybox sh
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec </dev/console >/dev/console 2>&1
"""


def entry(name, mode, data=b""):
    """One file of a cpio archive in the form that Linux unpacks ("newc")."""
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def write(path, script, **programs):
    """An image whose /init is the preamble and this script; programs lie in /bin, by name."""
    image = entry("bin", 0o40755) + entry("bin/busybox", 0o100755, (harness.FETCHED / "busybox").read_bytes())
    for name, text in programs.items():
        image += entry(f"bin/{name}", 0o100755, ("#!/bin/busybox sh\n" + text).encode())
    image += entry("init", 0o100755, (PREAMBLE + script).encode()) + entry("TRAILER!!!", 0)
    path.write_bytes(image)
    return path
