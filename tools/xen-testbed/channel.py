# SPDX-License-Identifier: Apache-2.0
"""Frames on the virtio-serial port between the tool outside and the agent in dom0: one byte of kind, four of length, the payload."""
import enum
import struct

HEADER = struct.Struct("<cI")
# Input that dom0 has not taken yet; more stays with the tool, so that neither side has to buffer without limit.
WINDOW = 1 << 20


class Kind(enum.Enum):
    # to dom0
    RUN = b"R"      # JSON: what to run, see agent.py
    INPUT = b"I"    # bytes for its stdin; none: end of file
    SIGNAL = b"S"   # number, as text
    SIZE = b"W"     # "rows columns" of the terminal
    # from dom0
    READY = b"H"    # the agent reads now
    ALIVE = b"P"    # now and then, while there is nothing else to say
    TAKEN = b"A"    # that many bytes of input have been taken, as text
    OUTPUT = b"O"
    ERRORS = b"E"
    EXIT = b"X"     # exit status, as text


def frame(kind, payload=b""):
    return HEADER.pack(kind.value, len(payload)) + payload


class Decoder:
    """Takes bytes as they come, gives whole frames."""

    def __init__(self):
        self.rest = bytearray()

    def feed(self, data):
        self.rest += data
        while len(self.rest) >= HEADER.size:
            kind, length = HEADER.unpack_from(self.rest)
            end = HEADER.size + length
            if len(self.rest) < end:
                return
            payload = bytes(self.rest[HEADER.size:end])
            del self.rest[:end]
            yield Kind(kind), payload
