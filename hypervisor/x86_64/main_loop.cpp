// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/main_loop.hpp"

#include "hypervisor/x86_64/apic.hpp"
#include "hypervisor/x86_64/exits.hpp"
#include "hypervisor/x86_64/instructions.hpp"
#include "hypervisor/x86_64/per_cpu.hpp"
#include "hypervisor/x86_64/uart.hpp"

namespace hyp::x86 {
namespace {

constexpr std::uint8_t user_privilege = 3;
constexpr std::uint64_t longest_timer_ns = 4'000'000'000;  // the LAPIC counts 32 bits of ns

// A timer that is set for an earlier moment stays: when it fires for nothing, the loop sets it
// anew. Setting it costs an emulated CPU more than one useless interrupt per several changes.
void set_timer(PerCpu& cpu, std::uint64_t deadline) {
  if (deadline >= cpu.armed_deadline) {
    return;
  }
  const std::uint64_t now = machine.now_ns();
  std::uint64_t delay = deadline > now ? deadline - now : 1;
  delay = delay < longest_timer_ns ? delay : longest_timer_ns;
  cpu.armed_deadline = deadline;
  local_apic().start_timer(static_cast<std::uint32_t>(delay * (apic_timer_hz / 1'000'000) / 1000));
}

void take_flags(PerCpu& cpu) {
  const std::uint32_t flags = __atomic_exchange_n(&cpu.flags, 0, __ATOMIC_ACQUIRE);
  if ((flags & flag_timer) != 0) {
    cpu.armed_deadline = never;
  }
  if ((flags & flag_doorbell) != 0 && drain_doorbell()) {
    machine.ring_host();
  }
}

bool has_flags(const PerCpu& cpu) {
  return __atomic_load_n(&cpu.flags, __ATOMIC_SEQ_CST) != 0;
}

void sleep(PerCpu& cpu) {
  __atomic_store_n(&cpu.attention, attention_interrupt, __ATOMIC_SEQ_CST);
  if (!has_flags(cpu)) {
    wait_for_interrupt();
  }
  __atomic_store_n(&cpu.attention, attention_none, __ATOMIC_RELEASE);
}

void idle(PerCpu& cpu) {
  if (hypervisor.idle_work(cpu.index)) {
    take_pending_interrupts();
    return;
  }
  if (hypervisor.prepare_sleep(cpu.index)) {
    sleep(cpu);
  }
  hypervisor.wake_up(cpu.index);
}

// Other pages, or those of another domain, may stand in the TLB. Under QEMU's TCG each VMRUN
// flushes anyway.
void choose_tlb_control(PerCpu& cpu, MachineVcpu& vcpu) {
  constexpr std::uint8_t flush_all = 1;
  const std::uint64_t tag = vcpu.domain->arch.tlb_tag.load(std::memory_order_seq_cst);
  // SAFETY: the address as a number that is only compared.
  const auto identity = reinterpret_cast<std::uint64_t>(&vcpu);
  const bool same = cpu.tlb_tag == tag && cpu.tlb_vcpu == identity;
  vcpu.arch.vmcb->tlb_control = same ? 0 : flush_all;
  cpu.tlb_tag = tag;
  cpu.tlb_vcpu = identity;
}

void run(PerCpu& cpu, MachineVcpu& vcpu) {
  VcpuState& state = vcpu.arch;
  offer_events(vcpu);
  __atomic_store_n(&cpu.attention, attention_interrupt, __ATOMIC_RELAXED);
  __atomic_fetch_add(&cpu.turns, 1, __ATOMIC_SEQ_CST);
  choose_tlb_control(cpu, vcpu);
  const bool entered = !has_flags(cpu);
  if (entered) {
    // SAFETY: the VMCB is a frame of the identity map: its address is its physical address.
    run_guest(&state.registers, reinterpret_cast<std::uint64_t>(state.vmcb), cpu.host_vmcb);
  }
  __atomic_fetch_add(&cpu.turns, 1, __ATOMIC_RELEASE);
  __atomic_store_n(&cpu.attention, attention_none, __ATOMIC_RELAXED);
  if (!entered) {
    withdraw_events(vcpu);
    return;
  }
  collect_events(vcpu);
  if (state.vmcb->cpl == user_privilege) {
    hypervisor.saw_user_mode(vcpu);
  }
  handle_exit(vcpu);
}

}  // namespace

void main_loop() {
  PerCpu& cpu = this_cpu();
  cpu.armed_deadline = never;
  for (;;) {
    take_flags(cpu);
    hypervisor.serve_host(cpu.index);
    const Next<MachineVcpu> next = hypervisor.schedule(cpu.index);
    set_timer(cpu, next.deadline);
    if (next.vcpu != nullptr) {
      switch_in(*next.vcpu);
      run(cpu, *next.vcpu);
    } else {
      idle(cpu);
    }
  }
}

}  // namespace hyp::x86
