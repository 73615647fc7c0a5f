#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How domains end: on request, and what follows by on_poweroff and its like; core files."""
import gzip
import re
import shutil
import struct
import subprocess
import threading
import harness
import initramfs

PAGE = 4096
# What a distribution's init does when it is asked to power off or reboot.
INIT = r"""
mkdir -p /sbin
for word in poweroff reboot; do
  printf '#!/bin/busybox sh\necho asked to %s >/dev/console\nexec /bin/busybox %s -f\n' $word $word >/sbin/$word
  chmod +x /sbin/$word
done
sysctl -q -w kernel.sysrq=1
echo "Hello from user space"
while :; do sleep 1000; done
"""


class Core:
    """A core file as Xen's tools read it: by its sections."""

    def __init__(self, data):
        self.data = data
        assert data[:5] == b"\x7fELF\x02" and struct.unpack_from("<H", data, 16)[0] == 4
        at, = struct.unpack_from("<Q", data, 40)
        count, names = struct.unpack_from("<HH", data, 60)
        headers = [struct.unpack_from("<IIQQQQ", data, at + 64 * i) for i in range(count)]
        strings = headers[names][4]
        self.sections = {data[strings + name:data.index(b"\0", strings + name)].decode(): (offset, size)
                         for name, _, _, _, offset, size in headers}

    def frames(self):
        offset, size = self.sections[".xen_pfn"]
        return struct.unpack_from(f"<{size // 8}Q", self.data, offset)

    def page(self, frame):
        offset, _ = self.sections[".xen_pages"]
        return self.data[offset + PAGE * self.frames().index(frame):][:PAGE]


class CoreTest(harness.VmTest):
    def dump(self, name, *options):
        path = self.machine.directory / "core"
        self.machine.xl("dump-core", *options, name, path)
        return path

    def gdb(self, *arguments):
        if shutil.which("gdb") is None:
            self.skipTest("no gdb")
        return subprocess.run(["gdb", "-nx", "-batch", *map(str, arguments)], capture_output=True, text=True,
                              check=True).stdout


class Actions(CoreTest):
    def expect_names(self, pattern, count, seconds=15):
        return harness.wait_until(
            lambda: len(found := [name for name in self.machine.domains() if re.fullmatch(pattern, name)]) == count
            and found, f"{count} domains like {pattern}: {self.machine.domains()}", seconds)

    # --- what follows ---

    def test_rename_restart_keeps_the_old_one(self):
        name = self.machine.create("crash", extra="shutdown", name="phoenix", on_crash="rename-restart")
        kept = self.expect_names(r"phoenix-\d{8}T\d{4}Z", 1)[0]
        self.assertIn("c", self.machine.xl("list", kept).stdout.splitlines()[1].split()[4])
        self.expect_names(r"phoenix-\d{8}T\d{4}Z.*", 2)  # and again, under another name
        self.machine.xl("destroy", name, check=False)

    def test_coredump_destroy(self):
        before = self.machine.footprint()
        result = self.machine.run("crash", extra="triple", name="dumped", on_reboot="coredump-destroy", check=False)
        self.assertEqual(result.returncode, 6, result.stderr)
        cores = list((self.machine.runtime / "dump").glob("dumped-*.core"))
        self.assertEqual(len(cores), 1)
        self.assertIn(b"\x7fELF", Core(cores[0].read_bytes()).data)
        self.machine.expect_footprint(before)

    def test_coredump_restart(self):
        self.machine.create("crash", extra="reboot", name="loop", on_reboot="coredump-restart")
        self.expect_restarts("loop", 1, 20)
        harness.wait_until(lambda: list((self.machine.runtime / "dump").glob("loop-*.core")), "a core file")
        self.machine.xl("destroy", "loop", check=False)

    def test_watchdog_is_not_a_crash(self):
        self.machine.create("watchdog", name="bitten", on_watchdog="preserve", on_crash="restart")
        harness.wait_until(lambda: "w" in self.machine.xl("list", "bitten").stdout.splitlines()[1].split()[4],
                           "the watchdog bites", 30)

    def test_poweroff_may_be_a_restart(self):
        name = self.machine.create("crash", extra="poweroff", on_poweroff="restart")
        self.expect_restarts(name, 1, 15)

    def test_soft_reset_goes_on(self):
        self.expect_pass("softreset")

    # --- on request ---

    def test_shutdown_without_a_driver(self):
        name = self.machine.create("idle")
        self.expect_error(self.machine.xl("shutdown", "-t", "1", name, check=False), "within 1 s", "xl destroy")
        self.expect_error(self.machine.xl("button-press", name, "power", check=False), "no power button")
        self.machine.xl("pause", name)
        self.expect_error(self.machine.xl("reboot", name, check=False), "is paused")
        self.expect_error(self.machine.xl("shutdown", "Domain-0", check=False), "Domain-0")

    # --- core files on request ---

    def test_dump_core_for_xens_tools(self):
        name = self.machine.create("idle", memory=64)
        path = self.dump(name)
        data = path.read_bytes()
        core = Core(data)
        self.assertEqual(core.frames()[:3], (0, 1, 2))
        kernel = (harness.GUESTS / "idle.elf").read_bytes()
        offset, = struct.unpack_from("<Q", kernel, 64 + 8)  # the first segment, at 1 MiB
        self.assertIn(kernel[offset + 0x800:offset + 0x900], core.page(0x100) + core.page(0x101))
        blocks = path.stat().st_blocks * 512
        self.assertGreater(len(data), 60 << 20)
        self.assertLess(blocks, 8 << 20)  # an idle guest's memory is mostly holes
        self.assertIn("b", self.machine.xl("list", name).stdout.splitlines()[1].split()[4])  # it runs on

    def test_dump_core_for_gdb(self):
        path = self.dump(self.machine.create("spin"), "--live")
        output = self.gdb("-ex", "bt", "-ex", "info registers rip rsp", "-ex", "x/8xb 0x100000",
                          harness.GUESTS / "spin.elf", path)
        self.assertIn("guest_main", output)  # the kernel's symbols fit the registers
        self.assertRegex(output, r"rip +0x[0-9a-f]+")
        memory = bytes(int(byte, 16) for line in re.findall(r"0x100000\b.*:\t(.*)", output) for byte in line.split())
        self.assertEqual(memory, Core(path.read_bytes()).page(0x100)[:8])
        readelf = subprocess.run(["readelf", "-n", "-l", "-S", str(path)], capture_output=True, text=True)
        self.assertEqual((readelf.returncode, readelf.stderr), (0, ""))
        self.assertIn("NT_PRSTATUS", readelf.stdout)

    def test_compressed_core_files(self):
        name = self.machine.create("idle")
        self.machine.xl("pause", name)
        plain = self.dump(name).read_bytes()
        self.assertEqual(gzip.decompress(self.dump(name, "--compress=gzip").read_bytes()), plain)
        path = self.dump(name, "--compress")
        self.assertEqual(path.read_bytes()[:4], b"\x28\xb5\x2f\xfd")
        if shutil.which("zstd"):
            unpacked = subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=True).stdout
            self.assertEqual(unpacked, plain)

    def test_dump_core_that_fails_leaves_nothing(self):
        name = self.machine.create("idle")
        folder = self.machine.directory / "cores"
        folder.mkdir()
        self.expect_error(self.machine.xl("dump-core", name, folder / "no/core", check=False), "no/core")
        self.expect_error(self.machine.xl("dump-core", name, "/dev/full", check=False), "No space left")
        self.expect_error(self.machine.xl("dump-core", "none", folder / "core", check=False), "none")
        self.assertEqual(list(folder.iterdir()), [])
        self.machine.xl("dump-core", name, folder / "core")  # it is not paused, nor half dead

    def test_destroy_ends_a_dump(self):
        name = self.machine.create("idle", memory=1024)
        process = self.machine.popen("dump-core", "-z", "gzip", name, self.machine.directory / "long")
        harness.wait_until(lambda: "p" in self.machine.xl("list", name).stdout.splitlines()[1].split()[4] or
                           process.poll() is not None, "the dump has begun")
        self.machine.xl("destroy", name)
        _, errors = process.communicate(timeout=20)
        if process.returncode != 0:  # it may have been quick
            self.assertIn("destroyed", errors)
            self.assertFalse((self.machine.directory / "long").exists())


class Requests(CoreTest):
    """Debian's kernel answers."""

    @classmethod
    def setUpClass(cls):
        if not harness.KERNEL.exists():
            raise harness.unittest.SkipTest("no Debian kernel: ./devtool test fetches it")
        super().setUpClass()
        cls.initrd = initramfs.write(cls.machine.directory / "initrd", INIT)

    def start(self, name, **keys):
        arguments = self.machine.configuration(harness.KERNEL, memory=192, ramdisk=str(self.initrd), name=name,
                                               extra="console=hvc0 quiet", **keys)
        process = self.machine.popen("create", "-c", *arguments)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Hello from user space" in line:
                break
        else:
            self.fail("".join(lines) + process.stderr.read())
        rest = []
        reader = threading.Thread(target=lambda: rest.extend(process.stdout))
        reader.start()
        self.addCleanup(lambda: (process.kill(), reader.join(), process.communicate()))
        return process, reader, rest

    def test_every_vcpu_is_a_thread_in_gdb(self):
        self.start("threads", vcpus=2)
        threads = self.gdb("-ex", "info threads", "-c", self.dump("threads"))
        self.assertEqual(set(re.findall(r"LWP (\d+)", threads)), {"1", "2"})

    def test_sysrq_then_reboot_then_shutdown(self):
        process, reader, rest = self.start("asked")
        self.machine.xl("sysrq", "asked", "h")
        first = self.machine.domain_id("asked")
        self.machine.xl("reboot", "-w", "asked")
        harness.wait_until(lambda: self.machine.xl("domid", "asked", check=False).stdout.strip()
                           not in ("", str(first)), "its next life", 20)
        harness.wait_until(lambda: any("Hello from user space" in line for line in rest), "it is up again", 60)
        self.machine.xl("shutdown", "-ww", "-a")
        self.assertNotIn("asked", self.machine.domains())
        self.assertEqual(process.wait(20), 0)
        reader.join()
        output = "".join(rest)
        self.assertIn("sysrq: HELP", output)
        self.assertIn("asked to reboot", output)
        self.assertIn("asked to poweroff", output)


if __name__ == "__main__":
    harness.main()
