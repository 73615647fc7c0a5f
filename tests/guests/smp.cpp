// SPDX-License-Identifier: Apache-2.0
// Starts every other CPU of the MADT's count (option cpus=N) with INIT and SIPI, as Linux does,
// lets all count, and sends each an event channel IPI.
#include "tests/guests/runtime/events.hpp"
#include "tests/guests/runtime/traps.hpp"

extern "C" {
#include <xen/errno.h>
}

extern "C" {
extern unsigned char guest_ap_start[], guest_ap_end[];
extern uint64_t guest_ap_stack;
}

namespace guest {

const char* const guest_name = "smp";

namespace {

constexpr unsigned max_cpus = 16;
constexpr Word trampoline = 0x8000;
alignas(16) unsigned char stacks_[max_cpus][4096];
volatile uint64_t counters_[max_cpus];
volatile unsigned started_;
volatile bool stop_;

volatile uint32_t& apic(unsigned offset) {
  return *reinterpret_cast<volatile uint32_t*>(0xfee00000UL + offset);
}

void send_ipi(unsigned apic_id, uint32_t command) {
  apic(0x310) = apic_id << 24;
  apic(0x300) = command;
}

template <typename Condition>
void wait(const char* what, Condition condition) {
  for (const uint64_t end = system_time() + 10'000'000'000; !condition();) {
    check(system_time() < end, what);
    relax();
  }
}

void start_cpu(unsigned cpu) {
  guest_ap_stack = address(stacks_[cpu] + sizeof stacks_[cpu]);
  const unsigned before = started_;
  send_ipi(cpu * 2, 0x4500);                       // INIT; vcpu n has APIC id 2n
  send_ipi(cpu * 2, 0x4600 | (trampoline >> 12));  // SIPI
  wait("a CPU did not start", [before] { return started_ != before; });
}

}  // namespace

void run_on_ap() {
  const unsigned cpu = started_ + 1;
  load_traps();
  started_ = cpu;
  while (!stop_) {
    counters_[cpu] = counters_[cpu] + 1;
  }
  const long result = hypercall(__HYPERVISOR_vcpu_op, VCPUOP_down, cpu);
  fail("VCPUOP_down came back with ", static_cast<uint64_t>(-result));
}

void guest_main() {
  map_shared_info();
  const auto cpus = static_cast<unsigned>(option("cpus", 2));
  check(cpus <= max_cpus, "too many cpus");
  apic(0xf0) = 0x1ff;
  memcpy(reinterpret_cast<void*>(trampoline), guest_ap_start,
         static_cast<Word>(guest_ap_end - guest_ap_start));
  for (unsigned cpu = 1; cpu < cpus; ++cpu) {
    start_cpu(cpu);
  }
  for (unsigned cpu = 1; cpu < cpus; ++cpu) {
    const uint64_t before = counters_[cpu];
    wait("a CPU does not run", [cpu, before] { return counters_[cpu] > before + 1000; });
    check(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, cpu) == 1, "is_up of a running vcpu");
  }
  check(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, cpus) == -XEN_ENOENT,
        "is_up of a vcpu too many");
  stop_ = true;
  for (unsigned cpu = 1; cpu < cpus; ++cpu) {
    wait("a CPU did not go down",
         [cpu] { return hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, cpu) == 0; });
  }
  say("smp: ", static_cast<uint64_t>(started_ + 1), " cpus ran");
  pass();
}

}  // namespace guest

extern "C" void guest_ap_entry() {
  guest::run_on_ap();
}
