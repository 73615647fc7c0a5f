#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's xenstore-utils against xld's store: on the host through the socket, in a guest through its ring."""
import gzip
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
import harness
import store_tree

GUEST_SCRIPT = """#!/bin/busybox sh
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec </dev/console >/dev/console 2>&1
echo "name=$(xenstore-read name)"
id=$(xenstore-read domid)
echo "list=$(xenstore-list control | sort | tr '\\n' ' ')"
xenstore-write data/hello world && echo "read=$(xenstore-read data/hello)"
xenstore-exists data/hello && echo exists
xenstore-chmod data/hello n$id r0 && xenstore-ls -p data
xenstore-write name other 2>&1 || echo "name refused"
xenstore-read /local/domain/0/domid 2>&1 || echo "foreign refused"
(xenstore-watch -n 2 data/ping; echo watched) &
until xenstore-exists data/armed; do sleep 1; done
xenstore-write data/ping 1
wait
n=0
while xenstore-write data/flood/$n $n 2>/dev/null; do n=$((n + 1)); done
echo "quota after $n"
xenstore-rm data/flood
xenstore-exists data/flood || echo removed
echo done
sleep 1000
"""


def guest_initrd(directory):
    """The demo's initramfs with xenstore-utils and another /init behind it; later files win."""
    root = directory / "extra"
    tool = shutil.which("xenstore-read")
    program = os.path.realpath(tool)
    files = [program] + re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", program], capture_output=True, text=True,
                                                                check=True).stdout)
    for file in files:
        target = root / ("bin" if file == program else "lib64" if "ld-linux" in file else "lib/x86_64-linux-gnu")
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target / ("xenstore" if file == program else os.path.basename(file)))
    for name in ("read", "write", "list", "ls", "rm", "exists", "chmod", "watch"):
        (root / "bin" / f"xenstore-{name}").symlink_to("xenstore")
    (root / "init").write_text(GUEST_SCRIPT)
    (root / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    archive = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], input=names.encode(), cwd=root,
                             capture_output=True, check=True).stdout
    initrd = directory / "initrd-xenstore"
    initrd.write_bytes(harness.INITRD.read_bytes() + gzip.compress(archive))
    return initrd


@harness.unittest.skipUnless(shutil.which("xenstore-ls"), "xenstore-utils are not installed")
class XenStore(harness.VmTest):
    def tool(self, name, *arguments, check=True, variable="XENSTORED_RUNDIR"):
        directory = self.machine.runtime / "xenstored"
        value = directory if variable == "XENSTORED_RUNDIR" else directory / "socket"
        result = subprocess.run([f"xenstore-{name}", *map(str, arguments)], env=dict(os.environ, **{variable: str(value)}),
                                capture_output=True, text=True, timeout=30)
        if check:
            self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def nodes(self, *arguments):
        """The lines of xenstore-ls, without what it puts between value and permissions."""
        return [re.sub(r"\s[. ]*\((\S+)\)$", r" (\1)", line) for line in self.tool("ls", *arguments).splitlines()]

    def set_quota(self, *words):
        """As no tool of Debian's can."""
        payload = "".join(f"{word}\0" for word in words).encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(self.machine.runtime / "xenstored" / "socket"))
            connection.sendall(struct.pack("=IIII", 26, 1, 0, len(payload)) + payload)
            self.assertEqual(connection.recv(100)[16:], b"OK\0")

    def exists(self, path):
        return subprocess.run(["xenstore-exists", path], timeout=30,
                              env=dict(os.environ, XENSTORED_RUNDIR=str(self.machine.runtime / "xenstored"))).returncode == 0

    def test_tools(self):
        self.tool("write", "/tool/test/a", "one", "/tool/test/b", "two")
        self.assertEqual(self.tool("read", "/tool/test/a", "/tool/test/b"), "one\ntwo\n")
        self.assertEqual(self.tool("read", "/tool/test/a", variable="XENSTORED_PATH"), "one\n")
        self.assertEqual(self.tool("list", "/tool/test"), "a\nb\n")
        self.tool("chmod", "/tool/test/a", "n3", "r4")
        self.assertEqual(self.nodes("-p", "/tool/test"), ['a = "one" (n3,r4)', 'b = "two" (n0)'])
        self.tool("rm", "/tool/test/a")
        self.assertFalse(self.exists("/tool/test/a"))
        self.assertTrue(self.exists("/tool/test/b"))
        self.tool("rm", "/tool/test")

    def test_watch(self):
        with subprocess.Popen(["xenstore-watch", "-n", "2", "/tool/watched"], stdout=subprocess.PIPE, text=True,
                              env=dict(os.environ, XENSTORED_RUNDIR=str(self.machine.runtime / "xenstored"))) as watch:
            self.assertEqual(watch.stdout.readline(), "/tool/watched\n")
            self.tool("write", "/tool/watched/x", "1")
            self.assertEqual(watch.stdout.readline(), "/tool/watched/x\n")
            self.assertEqual(watch.wait(timeout=20), 0)
        self.tool("rm", "/tool/watched")

    def test_list_longer_than_a_message(self):
        names = sorted(f"a-rather-long-name-of-a-node-{number:04}" for number in range(300))
        self.tool("write", *(word for name in names for word in (f"/tool/many/{name}", "x")))
        self.assertEqual(self.tool("list", "/tool/many").split(), names)
        self.tool("rm", "/tool/many")

    def test_tree_of_a_domain_and_its_end(self):
        before = self.tool("ls", "-fp", "/")
        name = self.machine.create("idle", "-p", memory=32)
        number = self.machine.domain_id(name)
        self.assertEqual(self.tool("read", f"/local/domain/{number}/name"), f"{name}\n")
        uuid = self.tool("read", f"/local/domain/{number}/vm").strip()
        self.assertEqual(self.tool("read", f"{uuid}/name"), f"{name}\n")
        self.assertIn(f"/libxl/{number}/type", self.tool("ls", "-f", "/libxl"))
        tree = self.nodes("-fp", f"/local/domain/{number}")
        self.assertIn(f'/local/domain/{number}/memory/target = "32768" (n0,r{number})', tree)
        self.assertIn(f'/local/domain/{number}/control/shutdown = "" (n{number})', tree)
        self.machine.xl("destroy", name)
        # What remains of the tree's upper levels is as it was, or what the first domain made of it.
        left = set(self.tool("ls", "-fp", "/").splitlines()) - set(before.splitlines())
        self.assertFalse([line for line in left if re.search(rf"/{number}\b", line)], left)

    def test_tree_is_as_on_xen(self):
        name = self.machine.create("idle", "-p", name="tree", **store_tree.KEYS)
        number = self.machine.domain_id(name)
        uuid = self.machine.xl("list", "-v", name).stdout.splitlines()[1].split()[6]
        self.assertEqual(store_tree.tree(self.tool("ls", "-fp", "/"), number, uuid), store_tree.expected(pty=False))

    def test_guest_that_storms_its_ring_hurts_itself_only(self):
        name = self.machine.create("storm", memory=32)
        mark = f"domain {self.machine.domain_id(name)} sent a message of"
        harness.wait_until(lambda: mark in (self.machine.runtime / "xld.log").read_text(), "the storm blows", 30)
        for number in range(20):
            self.tool("write", "/tool/calm", str(number))
            self.assertEqual(self.tool("read", "/tool/calm"), f"{number}\n")
        self.machine.run("hello")
        self.machine.xl("destroy", name)
        self.tool("rm", "/tool/calm")

    def test_in_a_guest(self):
        if not harness.KERNEL.exists() or not harness.INITRD.exists():
            self.skipTest("no Debian kernel: ./devtool test fetches it")
        arguments = self.machine.configuration(harness.KERNEL, memory=256, ramdisk=str(guest_initrd(self.machine.directory)),
                                               name="tools", extra="console=hvc0 quiet")
        process = self.machine.popen("create", "-c", *arguments)
        output = ""
        armed = False
        killer = threading.Timer(100, process.kill)  # a guest that says no more ends the test
        killer.start()
        for line in process.stdout:
            output += line
            if "data/ping" in line and not armed:  # the watch's first event
                armed = True
                number = self.machine.domain_id("tools")
                self.set_quota(number, "nodes", 60)
                self.tool("write", f"/local/domain/{number}/data/armed", "1")
            if line.startswith("done"):
                break
        killer.cancel()
        self.assertIn("done", output)
        self.assertIn("name=tools", output)
        self.assertIn("list=feature-poweroff feature-reboot", output)
        self.assertIn("read=world", output)
        self.assertIn("exists", output)
        self.assertRegex(output, rf'hello = "world"[\s.]+\(n{number},r0\)')
        self.assertIn("name refused", output)
        self.assertIn("foreign refused", output)
        self.assertRegex(output, r"data/ping[\s\S]*data/ping[\s\S]*watched")
        self.assertRegex(output, r"quota after [1-5]\d\b")
        self.assertIn("removed", output)
        self.assertEqual(self.tool("read", f"/local/domain/{number}/data/hello"), "world\n")
        log = (self.machine.runtime / "xld.log").read_text()
        self.assertIn(f"domain {number} has run into its limits", log)
        self.machine.xl("destroy", "tools")
        process.communicate(timeout=20)
        self.assertFalse(self.exists(f"/local/domain/{number}"))


if __name__ == "__main__":
    harness.main()
