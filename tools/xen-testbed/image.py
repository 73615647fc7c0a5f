#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what the test bed boots out of downloaded Debian packages, as an ordinary user and without a chroot.

image.py --packages DIR --output DIR: DIR of the packages holds `boot/*.deb` (hypervisor and kernel) and `root/*.deb`.
The output: xen, vmlinux, initrd.gz (busybox, the modules for the root disk), root.img and versions.
"""
import argparse
import gzip
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

# Nobody reads these in dom0.
LEFT_OUT = ["./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*", "./usr/share/info/*", "./usr/share/lintian/*",
            "./usr/share/perl/*", "./usr/lib/x86_64-linux-gnu/perl/*", "./usr/lib/debug/*", "./usr/lib/udev/hwdb.d/*"]
# Drivers of machines that QEMU is not.
MODULES = re.compile(r"kernel/(crypto|lib|fs/(9p|ext4|jbd2|fscache|netfs|fuse|overlayfs|squashfs|mbcache)|net/(9p|802|8021q|llc|bridge|core|ipv[46]|"
                     r"netfilter|packet|sched|unix)|arch|drivers/(virtio|block|xen|char|net/(tun|tap|dummy|veth|xen-.*|net_failover|virtio_net)))\b")
# For the root disk, and what the agent's port and the shared folders need.
EARLY = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "virtio_console", "9pnet_virtio", "9p"]
SPARE_MIB = 256


def unpack(package, root, *options):
    """Through tar, so that the links of the merged /usr stay links."""
    deb = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", root, "--keep-directory-symlink", "--no-same-owner", *options], stdin=deb.stdout, check=True)
    deb.stdout.close()
    if deb.wait() != 0:
        raise RuntimeError(f"cannot unpack {package}")


def make_root(packages, root):
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to("usr/" + name)
    for package in packages:
        unpack(package, root, *(f"--exclude={pattern}" for pattern in LEFT_OUT))
    # What the packages' scripts would have done, as far as it matters here.
    for name in ("passwd", "group"):
        shutil.copy(root / "usr/share/base-passwd" / (name + ".master"), root / "etc" / name)
    for name, target in (("sh", "dash"), ("awk", "mawk")):
        link = root / "usr/bin" / name
        if not link.exists() and not link.is_symlink():
            link.symlink_to(target)
    for name, target in (("run", "/run"), ("lock", "/run/lock")):
        (root / "var" / name).rmdir()
        (root / "var" / name).symlink_to(target)
    (root / "etc/hosts").write_text("127.0.0.1 localhost dom0\n")
    (root / "etc/hostname").write_text("dom0\n")
    for name in ("bed", "dev", "proc", "sys", "run", "tmp", "root", "mnt", "etc/xen"):
        (root / name).mkdir(parents=True, exist_ok=True)


def unpacked_kernel(image):
    """The ELF file inside a bzImage: emulated, Xen would take longer to unpack it than the kernel takes to boot."""
    setup_sectors = image[0x1f1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    kernel = lzma.LZMADecompressor().decompress(image[start:start + length])
    if kernel[:4] != b"\x7fELF":
        raise RuntimeError("no ELF file in the kernel's image")
    return kernel


def unsigned(module):
    """Verifying each signature costs more than all else of loading a module."""
    mark = b"~Module signature appended~\n"
    if not module.endswith(mark):
        return module
    signature = struct.unpack(">I", module[-len(mark) - 4:-len(mark)])[0]
    return module[:-len(mark) - 12 - signature]


def compile_python(root):
    """What the packages' scripts would have done; emulated Python compiles its library for seconds."""
    folders = [root / "usr/lib/python3.11", root / "usr/lib/python3/dist-packages"]
    libraries = f"{root}/usr/lib/x86_64-linux-gnu"
    subprocess.run(["python3", "-I", "-m", "compileall", "-q", "-j", "0", "-s", root, "-p", "/", *folders], check=True,
                   executable=root / "usr/bin/python3.11", env={"LD_LIBRARY_PATH": libraries, "PYTHONHOME": f"{root}/usr"})


def make_modules(tree, root):
    """Copies the modules that may be needed, writes their index, returns their folder."""
    source = next((tree / "lib/modules").iterdir())
    target = root / "lib/modules" / source.name
    for module in source.glob("kernel/**/*.ko"):
        relative = module.relative_to(source)
        if MODULES.match(str(relative)):
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            (target / relative).write_bytes(unsigned(module.read_bytes()))
    for index in source.glob("modules.*"):
        shutil.copy(index, target)
    libraries = f"{root}/usr/lib/x86_64-linux-gnu"
    # The packages' own depmod, which is kmod by another name: it need not be installed here.
    subprocess.run(["depmod", "-b", root, source.name], executable=root / "usr/bin/kmod", check=True, env={"LD_LIBRARY_PATH": libraries})
    return target


def load_order(modules):
    """Files of the early modules, each after those that it needs."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        module, _, others = line.partition(":")
        needs[module] = others.split()
    paths = {Path(module).name.removesuffix(".ko"): module for module in needs}
    order = []

    def add(module):
        for other in reversed(needs[module]):
            add(other)
        if module not in order:
            order.append(module)
    for name in EARLY:
        if name in paths:  # else it is built in
            add(paths[name])
    return order


def make_initrd(root, modules, work, target):
    for name in ("bin", "dev", "proc", "sys", "mnt", "modules", "bed"):
        (work / name).mkdir(parents=True)
    shutil.copy(root / "bin/busybox", work / "bin")
    order = load_order(modules)
    for module in order:
        shutil.copy(modules / module, work / "modules")
    (work / "modules/order").write_text("".join(Path(module).name + "\n" for module in order))
    files = subprocess.run(["find", ".", "-print0"], cwd=work, check=True, capture_output=True).stdout
    archive = subprocess.run(["cpio", "--null", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=work, input=files, check=True,
                             capture_output=True).stdout
    target.write_bytes(gzip.compress(archive, 6))


def make_disk(root, target):
    used = int(subprocess.run(["du", "-sm", root], check=True, capture_output=True, text=True).stdout.split()[0])
    # mke2fs is in /sbin, which an ordinary user's PATH may lack.
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-E", "root_owner=0:0,lazy_itable_init=1",
                    "-d", root, target, f"{used + SPARE_MIB}M"], check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, PATH=path))


def only(paths, what):
    paths = sorted(paths)
    if not paths:
        raise RuntimeError(f"no {what} in the packages")
    return paths[-1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    output, work = arguments.output, arguments.output / "work"
    shutil.rmtree(output, ignore_errors=True)
    tree, root = work / "tree", work / "root"
    tree.mkdir(parents=True)
    for package in arguments.packages.glob("boot/*.deb"):
        unpack(package, tree)
    boot = tree / "boot"
    (output / "xen").write_bytes(gzip.decompress(only(boot.glob("xen-4*.gz"), "Xen").read_bytes()))
    (output / "vmlinux").write_bytes(unpacked_kernel(only(boot.glob("vmlinuz-*"), "kernel").read_bytes()))
    packages = sorted(arguments.packages.glob("root/*.deb"))
    make_root(packages, root)
    compile_python(root)
    modules = make_modules(tree, root)
    make_initrd(root, modules, work / "initrd", output / "initrd.gz")
    make_disk(root, output / "root.img")
    versions = [package.name for package in sorted(arguments.packages.glob("boot/*.deb")) + packages]
    shutil.rmtree(work)
    (output / "versions").write_text("".join(name + "\n" for name in versions))  # last: says that the rest is complete
    return 0


if __name__ == "__main__":
    sys.exit(main())
