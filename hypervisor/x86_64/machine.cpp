// SPDX-License-Identifier: Apache-2.0
// Clock, CPUs and doorbell of the Machine.
#include "hypervisor/x86_64/machine.hpp"

#include "hypervisor/x86_64/apic.hpp"
#include "hypervisor/x86_64/host_area.hpp"
#include "hypervisor/x86_64/idt.hpp"
#include "hypervisor/x86_64/instructions.hpp"
#include "hypervisor/x86_64/per_cpu.hpp"
#include "hypervisor/x86_64/uart.hpp"

namespace hyp::x86 {

constinit Machine machine;
constinit Hypervisor<Machine> hypervisor{machine};

void Machine::start_clock(std::uint64_t tsc_khz) {
  tsc_khz_ = tsc_khz;
  scale_ = TscScale::from_khz(tsc_khz);
  tsc_base_ = read_tsc();
}

std::uint64_t Machine::now_ns() const {
  return scale_.to_ns(read_tsc() - tsc_base_);
}

ClockSample Machine::clock_sample() const {
  // The base, not this moment: a guest then computes with the very terms of now_ns(), without a
  // rounding step between.
  return {tsc_base_, 0};
}

std::uint64_t Machine::wall_clock_ns() const {
  return __atomic_load_n(&host_header().wall_clock_ns, __ATOMIC_RELAXED);
}

unsigned Machine::cpu_id() {
  return this_cpu().index;
}

void Machine::relax() {
  pause();
}

std::byte* Machine::host_area() {
  return x86::host_area();
}

void Machine::ring_host() {
  while (doorbell_lock_.exchange(true, std::memory_order_acquire)) {
    relax();
  }
  ring_doorbell();
  doorbell_lock_.store(false, std::memory_order_release);
}

void Machine::kick_cpu(unsigned cpu) {
  PerCpu& target = cpu_at(cpu);
  if (&target == &this_cpu()) {
    return;
  }
  __atomic_fetch_or(&target.flags, flag_kick, __ATOMIC_SEQ_CST);
  // Pairs with the CPU's own order: it asks for an interrupt, then looks at its flags, then sleeps
  // or enters a guest.
  if (__atomic_load_n(&target.attention, __ATOMIC_SEQ_CST) == attention_interrupt) {
    local_apic().send(target.apic_id, vector_kick);
  }
}

void Machine::lapic_timer_fired(MachineVcpu& vcpu) {
  if (vcpu.arch.lapic.timer_fired(now_ns())) {
    hypervisor.arm_lapic_timer(vcpu, *vcpu.arch.lapic.deadline());
  }
}

void Machine::flush_physmap(MachineDomain& domain) {
  domain.arch.tlb_tag.store(next_tlb_tag_.fetch_add(1), std::memory_order_seq_cst);
  const std::uint32_t cpus = host_header().cpus;
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    PerCpu& target = cpu_at(cpu);
    const std::uint32_t turn = __atomic_load_n(&target.turns, __ATOMIC_SEQ_CST);
    if (&target == &this_cpu() || (turn & 1) == 0) {
      continue;  // sees the new tag before its next VMRUN
    }
    local_apic().send(target.apic_id, vector_kick);
    while (__atomic_load_n(&target.turns, __ATOMIC_ACQUIRE) == turn) {
      relax();
    }
  }
}

}  // namespace hyp::x86
