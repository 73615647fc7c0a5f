# SPDX-License-Identifier: Apache-2.0
"""The machine: QEMU with Xen, dom0 and the shared folders. Everything of it ends with this process."""
import ctypes
import os
import signal
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

DOM0 = Path(__file__).parent / "dom0"
PR_SET_PDEATHSIG = 1


class BedError(Exception):
    pass


def cpio(files):
    """An initramfs archive (newc) of (name, mode, content)."""
    archive = bytearray()
    for number, (name, mode, content) in enumerate([*files, ("TRAILER!!!", 0, b"")], 1):
        encoded = name.encode() + b"\0"
        fields = [number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0]
        archive += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        archive += bytes(-len(archive) % 4) + content
        archive += bytes(-len(archive) % 4)
    return bytes(archive)


def own_programs():
    """What runs in dom0 and comes from this folder, so that a change to it needs no new image."""
    files = [("bed", stat.S_IFDIR | 0o755, b""), ("init", stat.S_IFREG | 0o755, (DOM0 / "init").read_bytes())]
    for path in (DOM0 / "setup", DOM0 / "agent.py", DOM0 / "xl.conf", Path(__file__).with_name("channel.py")):
        files.append(("bed/" + path.name, stat.S_IFREG | 0o755, path.read_bytes()))
    return cpio(files)


def dies_with_us():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Bed:
    def __init__(self, image, shares, options):
        self.directory = Path(tempfile.mkdtemp(prefix="xen-testbed-"))
        self.console = self.directory / "console"
        self.errors = self.directory / "qemu-errors"
        self.process = None
        try:
            self.start(image, shares, options)
        except BaseException:
            self.close()
            raise

    def start(self, image, shares, options):
        initrd = self.directory / "initrd"
        base = (image / "initrd.gz").read_bytes()
        initrd.write_bytes(base + bytes(-len(base) % 4) + own_programs())
        self.socket, theirs = socket.socketpair()
        arguments = self.arguments(image, initrd, shares, options) + [
            "-chardev", f"socket,id=agent,fd={theirs.fileno()}", "-device", "virtserialport,chardev=agent,name=xen-testbed"]
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                                            pass_fds=[theirs.fileno()], preexec_fn=dies_with_us, start_new_session=True,
                                            env=dict(os.environ, TMPDIR=str(self.directory)))
        theirs.close()

    def arguments(self, image, initrd, shares, options):
        """-no-reboot: a panic of Xen or of dom0 ends QEMU."""
        result = [options.qemu, "-accel", "tcg,thread=multi", "-cpu", "qemu64,+svm,+npt,+rdrand", "-smp", str(options.cpus),
                  "-m", str(options.memory), "-no-reboot", "-nodefaults", "-no-user-config", "-display", "none",
                  "-serial", f"file:{self.console}", "-kernel", str(image / "xen"),
                  "-append", f"console=com1 com1=115200 dom0_mem={options.dom0_memory}M,max:{options.dom0_memory}M "
                  f"dom0_max_vcpus={options.dom0_cpus} {options.xen_options}",
                  "-initrd", f"{image}/vmlinux console=hvc0 panic=1 quiet norandmaps cryptomgr.notests audit=0 apparmor=0 mitigations=off "
                             f"XENSTORED={options.xenstored},{initrd}",
                  "-drive", f"file={image}/root.img,format=raw,if=none,id=root,snapshot=on",
                  "-device", "virtio-blk-pci,drive=root", "-device", "virtio-serial-pci"]
        for tag, path in shares:
            result += ["-fsdev", f"local,id={tag},path={path.replace(',', ',,')},security_model=none,multidevs=remap",
                       "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
        return result

    def last_words(self, lines=40):
        """The end of the console, and what QEMU said, for one who has to find out why the bed died."""
        texts = []
        for path in (self.console, self.errors):
            try:
                said = path.read_text(errors="replace").replace("\r", "").splitlines()
                texts += [line for line in said if line.strip()][-lines:]
            except OSError:
                pass
        return "\n".join(texts)

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.socket.close()
        for path in self.directory.iterdir():
            path.unlink()
        self.directory.rmdir()
