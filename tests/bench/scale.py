# SPDX-License-Identifier: Apache-2.0
"""Figures of many domains. What a create costs beside many is measured in pairs, alternating with one in an empty daemon: then
the machine's other work falls on both."""
import json
import os
import statistics
import subprocess
import time

import harness
from api_client import Api, create_idle, resident_kib


def time_create(machine, arguments):
    start = time.perf_counter()
    subprocess.run([harness.XL, "create", "-p", *arguments], env=machine.environment, check=True, capture_output=True,
                   stdin=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    machine.xl("destroy", json.loads(arguments[1].removeprefix("name=")))
    return seconds * 1e3


def time_command(machine, *words, rounds=30):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run([harness.XL, *words], env=machine.environment, check=True, capture_output=True)
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def bench_many(report, domains, rounds):
    empty, full = harness.Machine(), harness.Machine()
    for machine in (empty, full):
        machine.xl("info")
    api, pid = Api(full.status()["socket"]), full.status()["pid"]
    resident = resident_kib(pid)
    made = []
    for number in range(domains):
        start = time.perf_counter()
        create_idle(full, api, f"idle{number}")
        made.append((time.perf_counter() - start) * 1e3)
    tenth = max(domains // 10, 1)
    first = statistics.median(made[:tenth])
    report.add(f"create over the API, last {tenth} of {domains} domains, p50", statistics.median(made[-tenth:]), "ms",
               round(first * 1.1, 3), note=f"first {tenth}: {first:.2f} ms")
    tiny = empty.configuration(harness.GUESTS / "idle.elf", memory=4, name="measured")
    alone, beside = [], []
    for number in range(rounds + 5):
        for machine, times in ((empty, alone), (full, beside))[::1 if number % 2 else -1]:
            times.append(time_create(machine, tiny))
    alone, beside = statistics.median(alone[5:]), statistics.median(beside[5:])
    report.add(f"xl create -p beside {domains} domains, paired, p50", beside, "ms", round(alone * 1.1, 2),
               note=f"{alone:.2f} ms beside none: x {beside / alone:.2f}")
    report.add(f"xl list of {domains} domains, whole command, p50", time_command(full, "list"), "ms", 20)
    report.add(f"xl metrics of {domains} domains, whole command, p50", time_command(full, "metrics"), "ms")
    report.add(f"xl domid among {domains} domains, p50", time_command(full, "domid", "idle0"), "ms")
    report.add(f"xld resident for each of {domains} domains", (resident_kib(pid) - resident) / domains, "KiB", 64)
    rows = [row for row in api.ask("GET", "/v1/domains")["domains"] if row["domid"] != 0]
    report.add(f"hypervisor memory for each of {domains} domains",
               statistics.mean(row["overhead_bytes"] / 1024 for row in rows), "KiB", 256)
    empty.close()
    full.close()


def bench_cycles(report, count):
    """Creates and destroys in a row; what xld and QEMU hold after the first hundredth and after all."""
    machine = harness.Machine()
    machine.xl("info")
    api, pids = Api(machine.status()["socket"]), {"xld": machine.status()["pid"], "QEMU": machine.qemu()}

    def cycle(times):
        for _ in range(times):
            create_idle(machine, api, "cycle")
            api.ask("DELETE", "/v1/domains/cycle")

    def held():
        return {name: (resident_kib(pid), len(os.listdir(f"/proc/{pid}/fd"))) for name, pid in pids.items()}

    cycle(count // 10)
    before, start = held(), time.perf_counter()
    cycle(count)
    each = (time.perf_counter() - start) / count * 1e3
    after = held()
    for name in pids:
        report.add(f"{name}: resident memory more after {count} cycles", after[name][0] - before[name][0], "KiB",
                   note=f"{after[name][0]} KiB; {each:.2f} ms a cycle")
        report.add(f"{name}: descriptors more after {count} cycles", after[name][1] - before[name][1], "", 0)
    counters = api.counters()
    report.add(f"hypervisor's own frames after {count} cycles", counters["frames.own"], "", note=f"{counters['domains']} domains")
    machine.close()
