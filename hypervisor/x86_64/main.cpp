// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/apic.hpp"
#include "hypervisor/x86_64/calibrate.hpp"
#include "hypervisor/x86_64/host_area.hpp"
#include "hypervisor/x86_64/idt.hpp"
#include "hypervisor/x86_64/log.hpp"
#include "hypervisor/x86_64/memory.hpp"
#include "hypervisor/x86_64/per_cpu.hpp"
#include "hypervisor/x86_64/smp.hpp"
#include "hypervisor/x86_64/uart.hpp"

namespace hyp::x86 {

// boot.S comes here on each CPU, on its own stack.
extern "C" [[noreturn]] void cpu_start(PerCpu* cpu) {
  if (cpu->index == 0) {
    const RamMap ram = read_memory_map();
    map_high_memory(ram);
    build_idt();
    load_cpu_tables(prepare_cpu(0, local_apic().id()));
    guard_stacks();
    local_apic().enable();
    start_doorbell();
    route_doorbell(cpu->apic_id);
    const std::uint64_t khz = measure_tsc_khz();
    log("tsc %d kHz, ranges %d", khz, std::uint64_t{ram.count});
    const std::uint32_t cpus = start_other_cpus(count_cpus());
    log("cpus %d", std::uint64_t{cpus});
    host_header().magic = xl::abi::magic;
    host_header().state = 1;
    ring_doorbell();
    for (;;) {
      wait_for_interrupt();
      log("woke %x", std::uint64_t{cpu->flags});
      drain_doorbell();
    }
  }
  load_cpu_tables(*cpu);
  local_apic().enable();
  __atomic_store_n(&cpu->online, 1, __ATOMIC_RELEASE);
  for (;;) {
    wait_for_interrupt();
  }
}

}  // namespace hyp::x86
