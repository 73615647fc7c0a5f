// SPDX-License-Identifier: Apache-2.0
// What belongs to one physical CPU. Reached through GS; only its own CPU writes it, except `flags`
// (atomic). The CPU that the machine boots on runs no domain and sleeps once the others are up
// (docs/adr/0110); the core knows the others, numbered from 0. Descriptor formats: APM volume 2, sections 4.8 (GDT) and 12.2.5 (64-bit TSS).
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/types.hpp"

namespace hyp::x86 {

inline constexpr std::uint32_t max_physical_cpus = 32;  // that run domains
inline constexpr std::size_t stack_size = 16384;

struct [[gnu::packed]] Tss {
  std::uint32_t reserved0;
  std::uint64_t rsp[3];
  std::uint64_t reserved1;
  std::uint64_t ist[7];
  std::uint64_t reserved2;
  std::uint16_t reserved3;
  std::uint16_t io_map_base;
};
static_assert(sizeof(Tss) == 104 && offsetof(Tss, ist) == 36);

// Reasons for which a CPU must look up from what it does. Set by interrupt handlers and other CPUs.
inline constexpr std::uint32_t flag_timer = 1;
inline constexpr std::uint32_t flag_doorbell = 2;
inline constexpr std::uint32_t flag_kick = 4;

// In the hypervisor a CPU sees flags by itself, before it sleeps or enters a guest; else only an
// interrupt reaches it.
inline constexpr std::uint32_t attention_none = 0;
inline constexpr std::uint32_t attention_interrupt = 1;

struct alignas(64) PerCpu {
  std::uint8_t* stack_top;  // boot.S loads it: offset 0
  PerCpu* self;             // offset 8: GS:8 gives this object
  std::uint32_t index;
  std::uint32_t apic_id;
  std::uint32_t flags;           // atomic, flag_*
  std::uint32_t online;          // atomic: the CPU reached its loop
  std::uint32_t attention;       // atomic, attention_*
  std::uint32_t turns;           // atomic: odd from before VMRUN until after #VMEXIT
  std::uint64_t tlb_tag;         // DomainState::tlb_tag of what this CPU's TLB may hold
  std::uint64_t tlb_vcpu;        // address of the Vcpu that it may hold
  std::uint64_t resident_vcpu;   // address of the Vcpu whose FPU state this CPU holds, or 0
  std::uint64_t armed_deadline;  // system time for which the LAPIC timer is set; ~0: not set
  // Physical: what VMSAVE keeps of the hypervisor (FS, GS, TR, LDTR, syscall MSRs).
  std::uint64_t host_vmcb;
  std::uint64_t gdt[8];
  Tss tss;
};
static_assert(std::is_standard_layout_v<PerCpu> && offsetof(PerCpu, stack_top) == 0 &&
              offsetof(PerCpu, self) == 8);

inline constexpr std::uint16_t selector_code = 0x08;
inline constexpr std::uint16_t selector_data = 0x10;
inline constexpr std::uint16_t selector_tss = 0x20;

// This CPU's object. Valid after load_cpu_tables().
inline PerCpu& this_cpu() {
  PerCpu* cpu = nullptr;
  // SAFETY: GS's base is this CPU's PerCpu from load_cpu_tables() on; the VMRUN path restores it
  // (VMLOAD of host_vmcb).
  asm("mov %%gs:8, %0" : "=r"(cpu));
  return *cpu;
}

extern "C" PerCpu boot_cpu;
PerCpu& cpu_at(std::uint32_t index);
inline void raise_flag(PerCpu& cpu, std::uint32_t flag) {
  __atomic_fetch_or(&cpu.flags, flag, __ATOMIC_RELEASE);
}

// Fill the object of a CPU (stack, TSS); any CPU may do it for another that has not started.
PerCpu& prepare_boot_cpu(std::uint32_t apic_id);
PerCpu& prepare_cpu(std::uint32_t index, std::uint32_t apic_id);
// On the CPU itself: GDT, TSS, IDT, GS.
void load_cpu_tables(PerCpu& cpu);
// Leaves the page under each stack without a mapping: an overrun is a double fault, not silence.
void guard_stacks();

}  // namespace hyp::x86
