# SPDX-License-Identifier: Apache-2.0
"""Wake-up latency: how long a sleeping vcpu takes from its timer's deadline, or from an event-channel IPI, to its handler; on an
idle machine, and with another domain that spins on each CPU. The tiny guest wakeup measures and prints."""
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "vm"))
import harness  # noqa: E402

LINE = re.compile(r"(timer|ipi) p50=(\d+) p90=\d+ p99=(\d+) max=(\d+)")


def bench_wakeups(report, rounds):
    machine = harness.Machine()
    try:
        cpus = int(machine.info("nr_cpus"))
        for load in "idle", "loaded":
            if load == "loaded":
                for cpu in range(cpus):
                    machine.create("spin", memory=8, cpus=str(cpu))
            output = machine.run("wakeup", memory=8, vcpus=2, extra=f"rounds={rounds} pause_us=3000").stdout
            figures = LINE.findall(output)
            assert len(figures) == 2, f"the guest printed {output[-500:]}"
            for kind, p50, p99, most in figures:
                name = {"timer": "timer", "ipi": "event-channel IPI"}[kind]
                report.add(f"wake-up by {name}, {load}, p50", float(p50), "us", note=f"p99 {p99} us, max {most} us")
    finally:
        machine.close()
