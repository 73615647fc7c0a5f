# SPDX-License-Identifier: Apache-2.0
"""What the tests share that run a daemon on the fake hypervisor: its surroundings, and a kernel to create domains from."""
import os
import struct


def environment(directory, xld, **more):
    """For an xl that starts `xld`, in a runtime directory below `directory`."""
    sanitizers = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
    return {"PATH": os.environ["PATH"], "XLD": str(xld), "XL_RUNTIME_DIR": f"{directory}/run", **sanitizers, **more}


def kernel(note=18, machine=3, segment=1):
    """The smallest ELF32 file with a PVH entry, or with one thing other than it should be."""
    entry = struct.pack("<III4sI", 4, 4, note, b"Xen\0", 0x100000)
    code = b"\xf4" * 4096
    offset = 52 + 2 * 32
    head = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 2, machine, 1, 0x100000, 52, 0, 0, 52, 32, 2, 0, 0, 0)
    load = struct.pack("<8I", segment, offset, 0x100000, 0x100000, len(code), len(code), 7, 4096)
    notes = struct.pack("<8I", 4, offset + len(code), 0, 0, len(entry), len(entry), 4, 4)
    return head + load + notes + code + entry


CONFIG = "name='guest'\nkernel='kernel'\nmemory=8\n"
