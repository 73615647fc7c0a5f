#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./devtool bench: measures what design.md budgets, and prints each figure beside its budget and its peer.

The peer of a Debian boot is plain QEMU (microvm machine, TCG, the same CPU model, kernel, initramfs and number of CPUs), alternating
with ours in the same run. Both are timed by the wall clock, from the start of the command to the same line on the console.
"""
import argparse
import json
import os
import select
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "vm"))
import harness  # noqa: E402
from api_client import Api, create_idle, resident_kib  # noqa: E402
from scale import bench_cycles, bench_many  # noqa: E402
from wakeup import bench_wakeups  # noqa: E402

MARKER = b"Hello from user space"


class Report:
    def __init__(self):
        self.rows = []

    def add(self, what, value, unit, budget=None, peer=None, note=""):
        within = None if budget is None else value <= budget
        self.rows.append({"what": what, "value": round(value, 3), "unit": unit, "budget": budget,
                          "peer": None if peer is None else round(peer, 3), "within": within, "note": note})
        self.show(self.rows[-1])

    @staticmethod
    def show(row):
        def cell(value):
            return "" if value is None else f"{value:g}"
        verdict = {None: "", True: "ok", False: "OVER"}[row["within"]]
        print(f"{row['what']:<58} {cell(row['value']):>10} {row['unit']:<4} {cell(row['budget']):>8} "
              f"{cell(row['peer']):>8}  {verdict:<5} {row['note']}", flush=True)


def quantile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(part * len(values)))]


def create_latency(machine, arguments, rounds):
    """Wall time of the whole command, and the daemon's own phases, in ms."""
    command, daemon = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        done = subprocess.run([harness.XL, "-v", "create", "-p", *arguments], env=machine.environment, check=True,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        command.append((time.perf_counter() - start) * 1e3)
        phases = [line.split()[-2:] for line in done.stderr.splitlines() + done.stdout.splitlines()
                  if line.endswith(" ms")]
        daemon.append(sum(float(number) for number, _ in phases))
        machine.xl("destroy", json.loads(arguments[1].removeprefix("name=")))
    return command, daemon


def bench_create(report, rounds, counts):
    machine = harness.Machine()
    machine.xl("info")
    api = Api(machine.status()["socket"])
    tiny = machine.configuration(harness.GUESTS / "idle.elf", memory=4, name="measured")
    create_latency(machine, tiny, 5)
    running, first = 0, None
    for count in counts:
        while running < count:
            create_idle(machine, api, f"idle{running}")
            running += 1
        command, daemon = create_latency(machine, tiny, rounds)
        p50 = statistics.median(command)
        first = first or p50
        budget = 5 if count == 0 else round(first * 1.1, 2)
        report.add(f"xl create -p, tiny guest, {count} running, p50", p50, "ms", budget,
                   note=f"p99 {quantile(command, .99):.1f} ms")
        report.add(f"  of which the daemon, {count} running, p50", statistics.median(daemon), "ms", 1)
    machine.close()


def bench_create_debian(report, rounds):
    machine = harness.Machine()
    machine.xl("info")
    debian = machine.configuration(harness.KERNEL, memory=256, ramdisk=str(harness.INITRD), name="debian")
    cold, _ = create_latency(machine, debian, 1)
    warm, daemon = create_latency(machine, debian, rounds)
    report.add("xl create -p, Debian kernel, first (cold cache)", cold[0], "ms")
    report.add("xl create -p, Debian kernel, warm cache, p50", statistics.median(warm), "ms", 15,
               note=f"daemon {statistics.median(daemon):.1f} ms")
    machine.close()


def time_to_marker(command, environment):
    """Seconds from the command's start to the marker, and the guest's uptime in the marker's line."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    seen = b""
    while MARKER not in seen or b"\n" not in seen.split(MARKER, 1)[1]:
        if not select.select([process.stdout], [], [], 120)[0] or not (data := os.read(process.stdout.fileno(), 65536)):
            process.kill()
            raise RuntimeError(f"no user space:\n{seen[-2000:].decode(errors='replace')}")
        seen += data
    seconds = time.perf_counter() - start
    uptime = float(seen.split(MARKER, 1)[1].split()[1])
    return process, seconds, uptime


def bench_boot(report, rounds):
    machine = harness.Machine()
    machine.xl("info")
    ours, ours_uptime, peer, peer_uptime = [], [], [], []
    qemu = [machine.environment["XL_QEMU"], "-M", "microvm,acpi=off", "-accel", "tcg", "-cpu", "max", "-smp", "1",
            "-m", "256", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-kernel", str(harness.KERNEL), "-initrd", str(harness.INITRD), "-append", "console=ttyS0 quiet"]
    exits = {}
    for number in range(rounds):
        arguments = machine.configuration(harness.KERNEL, memory=256, ramdisk=str(harness.INITRD), name="boot",
                                          extra="console=hvc0 quiet", on_poweroff="preserve")
        process, seconds, uptime = time_to_marker([str(harness.XL), "create", "-c", *arguments], machine.environment)
        ours.append(seconds)
        ours_uptime.append(uptime)
        process.wait(timeout=30)
        if number == 0:
            counters = Api(machine.status()["socket"]).ask("GET", "/v1/domains/boot/counters")
            exits = counters.get("counters", counters)
        machine.xl("destroy", "boot")
        process, seconds, uptime = time_to_marker(qemu, machine.environment)
        process.kill()
        process.wait()
        peer.append(seconds)
        peer_uptime.append(uptime)
    peer_p50 = statistics.median(peer)
    report.add("Debian kernel to its init, wall clock, p50", statistics.median(ours), "s", round(1.5 * peer_p50, 2),
               peer_p50, note=f"{statistics.median(ours) / peer_p50:.2f} x the peer")
    report.add("  the same by the guest's own uptime, p50", statistics.median(ours_uptime), "s", None,
               statistics.median(peer_uptime))
    machine.close()
    return exits


def bench_on_demand(report, rounds):
    """memory < maxmem: the balloon driver gives the difference back, which is not to keep the boot waiting."""
    machine = harness.Machine()
    machine.xl("info")
    times = {256: [], 512: []}
    for _ in range(rounds):
        for maxmem, seen in times.items():
            arguments = machine.configuration(harness.KERNEL, memory=256, maxmem=maxmem, ramdisk=str(harness.INITRD),
                                              name="boot", extra="console=hvc0 quiet", on_poweroff="preserve")
            process, seconds, _ = time_to_marker([str(harness.XL), "create", "-c", *arguments], machine.environment)
            seen.append(seconds)
            process.wait(timeout=30)
            machine.xl("destroy", "boot")
    plain, both = statistics.median(times[256]), statistics.median(times[512])
    report.add("Debian to its init, memory=256, maxmem=512 against 256", both, "s", round(plain * 1.1, 2), plain,
               note=f"{both / plain:.2f} x")
    machine.close()


def bench_memory(report, count):
    machine = harness.Machine()
    machine.xl("info")
    api = Api(machine.status()["socket"])
    pid = machine.status()["pid"]
    before = resident_kib(pid)
    report.add("xld resident, no domains", before / 1024, "MiB", 20)
    for number in range(count):
        create_idle(machine, api, f"idle{number}")
    after = resident_kib(pid)
    report.add(f"xld resident for each domain ({count} idle)", (after - before) / count, "KiB", 64)
    domains = api.ask("GET", "/v1/domains")
    rows = domains if isinstance(domains, list) else domains["domains"]
    overhead = [row["overhead_bytes"] / 1024 for row in rows if row["domid"] != 0]
    report.add("hypervisor memory for each idle domain", statistics.mean(overhead), "KiB", 256)
    machine.close()


def bench_round_trip(report, build):
    done = subprocess.run([build / "tests" / "bench" / "xl-bench-roundtrip", "--json", "--hypervisor",
                           build / "hypervisor" / "hypervisor.elf"], check=True, capture_output=True, text=True)
    for row in json.loads(done.stdout)["request_round_trip"]:
        report.add(f"request round trip, CPUs {row['load']}, spin {row['spin_us']} us, gap {row['gap_us']} us, p50",
                   row["p50_us"], "us", note=f"p99 {row['p99_us']:.0f} us")


def bench_xenstore(report, build, quick):
    domains = "1,10" if quick else "1,10,100,1000"
    done = subprocess.run([build / "tests" / "bench" / "xl-bench-xenstore", "--json", "--domains", domains], check=True,
                          capture_output=True, text=True)
    for row in json.loads(done.stdout)["xenstore"]:
        budget = 50 if row["operation"] in ("read", "write") else None
        report.add(f"xenstore {row['operation']} through the socket, {row['domains']} domains, p50", row["p50_us"], "us",
                   budget, note=f"p99 {row['p99_us']:.0f} us")


def show_exits(exits):
    print("\nexits and hypercalls of one Debian boot to power-off, by cause:")
    rows = exits.items() if isinstance(exits, dict) else ((row["name"], row["count"]) for row in exits)
    for name, number in sorted(rows, key=lambda row: -row[1]):
        if number:
            print(f"  {name:<28} {number:>10}")


def main():
    parser = argparse.ArgumentParser(prog="devtool bench")
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, at most 10 domains")
    options = parser.parse_args()
    report = Report()
    print(f"{'figure':<58} {'measured':>10} {'':<4} {'budget':>8} {'peer':>8}")
    failures, exits = [], {}
    counts = [0, 10] if options.quick else [0, 10, 100]
    for step in (lambda: bench_create(report, 10 if options.quick else 30, counts),
                 lambda: bench_create_debian(report, 5 if options.quick else 15),
                 lambda: exits.update(bench_boot(report, 2 if options.quick else 5)),
                 lambda: bench_on_demand(report, 2 if options.quick else 5),
                 lambda: bench_memory(report, 20 if options.quick else 100),
                 lambda: bench_many(report, 50 if options.quick else 1000, 10 if options.quick else 60),
                 lambda: bench_cycles(report, 200 if options.quick else 10_000),
                 lambda: bench_xenstore(report, options.build, options.quick),
                 lambda: bench_wakeups(report, 200 if options.quick else 1000),
                 lambda: bench_round_trip(report, options.build)):
        try:
            step()
        except (RuntimeError, AssertionError, OSError, subprocess.SubprocessError) as error:
            failures.append(str(error))
            print(f"not measured: {error}", flush=True)
    show_exits(exits)
    if options.json:
        options.json.write_text(json.dumps({"figures": report.rows, "exits": exits, "not_measured": failures},
                                           indent=2) + "\n", encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
