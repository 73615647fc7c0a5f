# SPDX-License-Identifier: Apache-2.0
"""What tests share that drive one Xen by our xl and by the stock one."""
import os
import re
import select
import signal
import termios
import time
from pathlib import Path
import host
from host import ours, stock

BOTH = ((ours, stock), (stock, ours))
USERDATA = Path("/var/lib/xen")


def state(xl, name):
    """Domid, MiB, vcpus and state of a domain, as this tool lists it; none: it is not there."""
    done = xl("list", name, check=False)
    return done.stdout.splitlines()[1].split()[1:5] if done.returncode == 0 else None


def flags(xl, name):
    row = state(xl, name)
    return row[3] if row else ""


def node(path):
    return host.run("xenstore-read", path).stdout.strip()


def traces():
    """Everything that a domain leaves in the xenstore and in libxl's folder while it is there."""
    tree = host.run("xenstore-ls", "-f").stdout.splitlines()
    kept = [line for line in tree if re.match(r"/(local/domain/[1-9]|local/domain/0/backend/\w+/\d+|vm/\w|libxl/[1-9])", line)]
    # Of a domain that ended at once xenconsoled may name the pty when all else has gone; Xen's own xl leaves that as well.
    late = re.compile(r"/local/domain/(\d+)(/console(/tty)?)? =")
    dead = {m[1] for m in map(late.match, kept) if m} - {line.split("/")[3] for line in kept if "/name = " in line}
    kept = [line for line in kept if not ((m := late.match(line)) and m[1] in dead)]
    return sorted(kept + [path.name for path in USERDATA.iterdir() if path.is_file() and not path.name.startswith("userdata-d.0.")])


def is_raw(terminal):
    return not termios.tcgetattr(terminal)[3] & termios.ICANON


def talk(xl, name, line, answer):
    """Says a line (None: nothing) on the domain's console, by this tool, and waits for the answer there."""
    path = host.XL if xl is ours else host.STOCK_XL
    pid, terminal = os.forkpty()
    if pid == 0:
        os.execv(path, [str(path), "console", name])
    try:
        if line:
            # Both tools attach first, and take the terminal's line discipline away then: what is typed before that is changed by it.
            host.wait_until(lambda: is_raw(terminal), f"the {xl.__name__} console of {name} is attached", 20)
            os.write(terminal, line.encode() + b"\r")
        seen, end = b"", time.monotonic() + 20
        while answer.encode() not in seen:
            if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no '{answer}' from the {xl.__name__} console: {seen}")
            try:
                seen += os.read(terminal, 4096)
            except OSError as gone:
                raise AssertionError(f"the {xl.__name__} console ended: {seen}") from gone
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


class Together(host.XenTest):
    def make(self, xl, name, *flags_, **keys):
        xl("create", *flags_, host.tiny(name, **keys))
        return host.domains().get(name)  # none: it has ended already

    def expect_gone(self, name, seconds=20):
        host.wait_until(lambda: name not in host.domains(), f"{name} is gone for the stock xl", seconds)
        host.wait_until(lambda: state(ours, name) is None, f"{name} is gone for ours", seconds)

    def expect_traces(self, before, seconds=5):
        end = time.monotonic() + seconds
        while traces() != before and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(traces(), before)

    def expect_log(self, name, text, seconds=30):
        host.wait_until(lambda: text in host.console_log(name), f"'{text}' in the console log of {name}", seconds)
