#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad configurations and kernels through the real command: one clear error, nothing left. The parsers' own tests are finer."""
import gzip
import shutil
import struct
import harness


class BadInput(harness.VmTest):
    def setUp(self):
        self.before = self.machine.footprint()
        self.folder = self.machine.directory / "input"
        self.folder.mkdir()

    def tearDown(self):
        shutil.rmtree(self.folder)
        self.machine.expect_footprint(self.before)

    def refuse_config(self, text, *words):
        path = self.folder / "bad.cfg"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        result = self.machine.xl("create", path, check=False, timeout=30)
        self.assertNotEqual(result.returncode, 0)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertLess(len(result.stderr), 20000)

    def refuse_kernel(self, data, *words):
        path = self.folder / "bad.elf"
        path.write_bytes(data)
        result = self.machine.xl("create", "-p", *self.machine.configuration(path), check=False, timeout=30)
        self.expect_error(result, str(path), *words)

    def test_configurations(self):
        kernel = f'kernel = "{harness.GUESTS}/hello.elf"\n'
        self.refuse_config('name = "x', "bad.cfg:1")
        self.refuse_config('name = "a"\n' + kernel + "memory = " + "9" * 100 + "\n", "bad.cfg:3")
        self.refuse_config('name = "a"\n' + kernel + "memory = -5\n", "bad.cfg:3")
        self.refuse_config("disk = " + "[" * 10000 + "\n", "bad.cfg:1")
        self.refuse_config(bytes(range(256)) * 100, "bad.cfg:1")
        self.refuse_config('name = "a\0b"\n' + kernel, "bad.cfg:1")
        self.refuse_config('name = "a"\n' + kernel + 'type = "pv"\n', "pv")
        self.refuse_config('name = "a"\n' + kernel + "hap = 0\n", "hap")
        self.refuse_config('name = "a"\n' + kernel + 'vif = ["bridge=x"]\n', "vif", "not supported")
        self.refuse_config(b"#" * (100 << 20))

    def test_truncated_kernels(self):
        good = (harness.GUESTS / "hello.elf").read_bytes()
        for size in (0, 1, 4, 15, 16, 51, 52, 63, 64, 65, 119, 120, 200, 4096, 6000):
            with self.subTest(size=size):
                self.refuse_kernel(good[:size])

    def test_kernels_that_lie(self):
        good = bytearray((harness.GUESTS / "hello.elf").read_bytes())
        headers = struct.unpack_from("<Q", good, 32)[0]
        for offset, value in ((headers + 32, 2**63), (headers + 40, 2**63), (headers + 8, 2**64 - 4096),
                              (headers + 24, 2**64 - 4096), (headers + 24, 0xfee00000), (32, 2**64 - 8)):
            bad = bytearray(good)
            struct.pack_into("<Q", bad, offset, value)
            with self.subTest(offset=offset, value=hex(value)):
                self.refuse_kernel(bytes(bad))

    def test_decompression_bomb(self):
        if not harness.KERNEL.exists():
            self.skipTest("no Debian kernel")
        kernel = bytearray(harness.KERNEL.read_bytes())
        payload = (kernel[0x1f1] + 1) * 512 + struct.unpack_from("<I", kernel, 0x248)[0]
        bomb = gzip.compress(bytes(512 << 20), 9)
        struct.pack_into("<I", kernel, 0x24c, len(bomb))
        kernel[payload:payload + len(bomb)] = bomb
        self.refuse_kernel(bytes(kernel))

    def test_not_a_kernel(self):
        self.refuse_kernel(b"#!/bin/sh\nexit 0\n" * 1000)
        self.refuse_kernel((harness.XL).read_bytes())


if __name__ == "__main__":
    harness.main()
