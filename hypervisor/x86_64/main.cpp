// SPDX-License-Identifier: Apache-2.0
// From boot.S to the main loop.
#include "hypervisor/x86_64/apic.hpp"
#include "hypervisor/x86_64/calibrate.hpp"
#include "hypervisor/x86_64/idt.hpp"
#include "hypervisor/x86_64/instructions.hpp"
#include "hypervisor/x86_64/machine.hpp"
#include "hypervisor/x86_64/main_loop.hpp"
#include "hypervisor/x86_64/memory.hpp"
#include "hypervisor/x86_64/panic.hpp"
#include "hypervisor/x86_64/per_cpu.hpp"
#include "hypervisor/x86_64/smp.hpp"
#include "hypervisor/x86_64/svm.hpp"
#include "hypervisor/x86_64/uart.hpp"

namespace hyp::x86 {
namespace {

InitInfo describe_machine(const RamMap& ram, std::uint32_t cpus) {
  InitInfo info;
  for (unsigned i = 0; i < ram.count; ++i) {
    info.ranges[i] = {ram.ranges[i].start.value(), ram.ranges[i].size.count()};
  }
  info.range_count = ram.count;
  info.cpus = cpus;
  info.tsc_khz = machine.tsc_khz();
  // The image and the host area in front of it; nothing else is taken.
  info.hypervisor_pages =
      (image_end_address().value() - xl::abi::host_area_address) >> xl::page_shift;
  return info;
}

void start_machine() {
  const RamMap ram = read_memory_map();
  map_high_memory(ram);
  build_idt();
  load_cpu_tables(prepare_boot_cpu(local_apic().id()));
  guard_stacks();
  if (const char* reason = missing_svm_feature()) {
    panic("this CPU cannot run guests: %s", reason);
  }
  local_apic().enable();
  machine.start_clock(measure_tsc_khz());
  build_permission_maps();
  const std::uint32_t cpus = count_cpus() - 1;
  if (cpus == 0) {
    panic("one CPU boots and sleeps, another has to run the domains: there is only one");
  }
  if (!hypervisor.init(describe_machine(ram, cpus))) {
    panic("not enough memory to start");
  }
  hypervisor.log().write(Level::info, "TSC ", machine.tsc_khz(), " kHz, ", cpus, " CPUs");
  const std::uint32_t online = start_cpus(cpus);
  if (online != cpus) {
    panic("%d of %d CPUs started", std::uint64_t{online}, std::uint64_t{cpus});
  }
  start_doorbell();
  route_doorbell(cpu_at(0).apic_id);
  hypervisor.announce();
  ring_doorbell();
}

}  // namespace

// boot.S comes here on each CPU, on its own stack.
extern "C" [[noreturn]] void cpu_start(PerCpu* cpu) {
  if (cpu == &boot_cpu) {
    start_machine();
    halt_for_ever();
  }
  load_cpu_tables(*cpu);
  local_apic().enable();
  enable_svm(*cpu);
  __atomic_store_n(&cpu->online, 1, __ATOMIC_RELEASE);
  main_loop();
}

}  // namespace hyp::x86
