#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./devtool bench xen: our xl beside the stock xl, on one dom0 of the real Xen, with the same guests.

Runs in the test bed. Each figure is the wall clock of the whole command, from before its process is made to after it has ended; the
two take turns, so that what else the machine does falls on both. Programs, kernels and configurations lie in memory. Before each
command dom0 is let come to rest, so that none pays for what the daemons still had to do after another; what that is a row of its own
shows, in which commands follow each other at once.

The stock xl's wait for free memory is not in its figures: dom0's memory is fixed and /etc/xen/xl.conf says autoballoon="off",
so it does not look for memory at all.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from xenstore_floor import BareClient, Tree

sys.path.append(str(Path(__file__).parents[1] / "xen"))
from xenctrl import Xen  # noqa: E402

STOCK = "/usr/sbin/xl"
DIRECTORY = Path("/run/xl-bench")
CONFIGURATION = """type = "pvh"
vcpus = 1
"""
WARM_UP = 2


def busy_ticks():
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    idle, waiting = int(fields[3]), int(fields[4])
    return sum(map(int, fields[:8])) - idle - waiting


def come_to_rest():
    """There is no event for it: the daemons' work ends when they say nothing more."""
    interval, deadline = 0.04, time.monotonic() + 5
    while time.monotonic() < deadline:
        before = busy_ticks()
        time.sleep(interval)
        if busy_ticks() == before:
            return


class Tool:
    """One xl. Its output goes to a file, which is shown when it fails."""

    def __init__(self, name, program):
        self.name, self.program = name, str(program)
        self.output = os.open(DIRECTORY / f"{name}.out", os.O_RDWR | os.O_CREAT | os.O_TRUNC)

    def run(self, *arguments):
        """Milliseconds that the command took."""
        os.ftruncate(self.output, 0)
        actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, self.output, 1),
                   (os.POSIX_SPAWN_DUP2, self.output, 2)]
        begun = time.perf_counter()
        pid = os.posix_spawn(self.program, [self.program, *map(str, arguments)], os.environ, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        taken = (time.perf_counter() - begun) * 1e3
        if status != 0:
            said = os.pread(self.output, 4000, 0).decode(errors="replace")
            raise RuntimeError(f"{self.name}: xl {' '.join(map(str, arguments))}: "
                               f"exit status {os.waitstatus_to_exitcode(status)}\n{said}")
        return taken


class Table:
    def __init__(self, tools):
        self.tools, self.rows = tools, []
        print(f"{'whole command, p50 in ms':<44}" + "".join(f"{tool.name:>10}" for tool in tools) + f"{'ratio':>9}{'goal':>7}")

    def add(self, what, times, goal=None):
        """`times`: tool name to milliseconds of each run."""
        median = {name: statistics.median(values) for name, values in times.items()}
        ratio = median["stock"] / median["ours"] if "ours" in median else None
        self.rows.append({"what": what, "p50_ms": median, "min_ms": {name: min(values) for name, values in times.items()},
                          "runs": len(times["stock"]), "ratio": ratio, "goal": goal})
        print(f"{what:<44}" + "".join(f"{median[tool.name]:>10.1f}" for tool in self.tools) +
              (f"{ratio:>8.1f}x" if ratio else f"{'':>9}") + (f"{goal:>6}x" if goal else ""), flush=True)

    def add_floor(self, what, values):
        """Of neither tool."""
        median = statistics.median(values)
        self.rows.append({"what": what, "p50_ms": {"floor": median}, "min_ms": {"floor": min(values)}, "runs": len(values)})
        print(f"{f'({what})':<44}{median:>10.1f}", flush=True)


def install(build):
    """Our programs, as they lie in a build tree, in memory; none if they cannot drive this Xen."""
    ours = DIRECTORY / "ours"
    for name in ("xl/xl", "xld/xld", "hypervisor-iface/xen/xl-hypervisor-xen.so"):
        if not (build / name).exists():
            return None, f"there is no {build / name}"
        (ours / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(build / name, ours / name)
    program = ours / "xl/xl"
    info = subprocess.run([program, "info"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if info.returncode != 0:
        return None, info.stderr.strip() or info.stdout.strip()
    return program, None


def configuration(name, kernel, memory, ramdisk=None):
    text = CONFIGURATION + f'memory = {memory}\nkernel = "{shutil.copy(kernel, DIRECTORY)}"\n'
    if ramdisk is not None:
        text += f'ramdisk = "{shutil.copy(ramdisk, DIRECTORY)}"\nextra = "console=hvc0"\n'
    path = DIRECTORY / f"{name}.cfg"
    path.write_text(text)
    return path


def take_turns(tools, rounds, *steps):
    """Per step: tool name to times. A step is a function of the tool that gives milliseconds."""
    times = [{tool.name: [] for tool in tools} for _ in steps]
    for number in range(rounds + WARM_UP):
        for tool in tools if number % 2 else reversed(tools):
            for step, taken in zip(steps, times):
                come_to_rest()
                milliseconds = step(tool)
                if number >= WARM_UP:
                    taken[tool.name].append(milliseconds)
    return times


def domid_of(name):
    return int(subprocess.run([STOCK, "domid", name], capture_output=True, text=True, check=True).stdout)


def bench_floor(table, rounds, path):
    """What no toolstack can go below: a program's start, and the xenstore's part of create."""
    nothing = Tool("nothing", "/bin/busybox")
    table.add_floor("a static program that does nothing", [nothing.run("true") for _ in range(rounds)])
    table.tools[0].run("create", "-p", path, 'name="measured"')
    tree, client = Tree(str(domid_of("measured"))), BareClient()
    times = [client.milliseconds(tree) for _ in range(rounds + WARM_UP)][WARM_UP:]
    table.add_floor(f"a domain's {tree.count()} xenstore requests, bare", times)
    table.tools[0].run("destroy", "measured")


def bench_xens_part(table, rounds, path, what):
    """What destroy cannot go below: Xen takes back page by page. Nothing else of the domain is there to be undone, but by xld."""
    ours, xen, times = table.tools[-1], Xen(), []
    for _ in range(rounds):
        ours.run("create", "-p", path, 'name="measured"')
        come_to_rest()
        domid = domid_of("measured")
        begun = time.perf_counter()
        xen.destroy(domid)
        times.append((time.perf_counter() - begun) * 1e3)
        come_to_rest()
    table.add_floor(f"Xen's own part of destroy, {what}", times)


def bench_domain(table, rounds, path, what, goals):
    def create(tool):
        return tool.run("create", "-p", path, 'name="measured"')

    def destroy(tool):
        return tool.run("destroy", "measured")
    def at_once(tool):
        return sum(step(tool) for _ in range(pairs) for step in (create, destroy)) / pairs
    pairs = 4
    created, destroyed, both = take_turns(table.tools, rounds, create, destroy, at_once)
    table.add(f"create -p, {what}", created, goals[0])
    table.add(f"destroy, {what}", destroyed, goals[1])
    table.add("  the two, again and again, each time", both)


def fill(tool, path, count):
    """All by one tool, and ours if it is there: the stock xl leaves a process behind for each domain, which wakes up whenever any
    domain comes or goes, and on one CPU that would be measured as part of both tools' commands."""
    for number in range(count):
        tool.run("create", "-p", path, f'name="beside{number}"')


def bench(table, build, rounds, count):
    tiny = configuration("tiny", build / "tests/guests/idle.elf", 32)
    fetched = Path(os.environ.get("XL_FETCHED", build / "fetched"))
    debian = configuration("debian", fetched / "vmlinuz", 256, fetched / "initrd.gz")
    bench_floor(table, rounds, tiny)
    bench_domain(table, rounds, tiny, "tiny guest, no other domain", (10, 5))
    bench_domain(table, rounds, debian, "Debian's kernel", (4, 5))
    if len(table.tools) > 1:
        bench_xens_part(table, rounds, tiny, "32 MiB")
        bench_xens_part(table, rounds, debian, "256 MiB")
    table.add("list, no domain", take_turns(table.tools, rounds, lambda tool: tool.run("list"))[0], 5)
    if count > 0:
        fill(table.tools[-1], tiny, count)
        bench_domain(table, rounds, tiny, f"tiny guest, {count} other domains", (10, 5))
        table.add(f"list, {count} domains", take_turns(table.tools, rounds, lambda tool: tool.run("list"))[0], 5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, default=os.environ.get("XL_BUILD", Path(__file__).parents[2] / "build"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--domains", type=int, default=50)
    arguments = parser.parse_args()
    DIRECTORY.mkdir(exist_ok=True)
    program, reason = install(arguments.build)
    tools = [Tool("stock", STOCK)] + ([Tool("ours", program)] if program else [])
    if reason:
        print(f"without ours: {reason}", file=sys.stderr)
    table = Table(tools)
    try:
        bench(table, arguments.build, arguments.rounds, arguments.domains)
    finally:
        if arguments.json:
            arguments.json.write_text(json.dumps(table.rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
