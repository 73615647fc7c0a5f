// SPDX-License-Identifier: Apache-2.0
// The single instructions that C++ has no words for. Ring 0 only.
#pragma once

#include <cstdint>

#include "hypervisor/x86_64/registers.hpp"

namespace hyp::x86 {

inline std::uint64_t read_msr(Msr msr) {
  std::uint32_t low = 0, high = 0;
  // SAFETY: reads a register; callers name MSRs that this CPU has.
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(static_cast<std::uint32_t>(msr)));
  return low | static_cast<std::uint64_t>(high) << 32;
}

inline void write_msr(Msr msr, std::uint64_t value) {
  // SAFETY: callers name MSRs that this CPU has, with values that it takes; memory clobber because
  // some MSRs change what later accesses mean.
  asm volatile("wrmsr"
               :
               : "c"(static_cast<std::uint32_t>(msr)), "a"(static_cast<std::uint32_t>(value)),
                 "d"(static_cast<std::uint32_t>(value >> 32))
               : "memory");
}

struct CpuidResult {
  std::uint32_t eax, ebx, ecx, edx;
};

inline CpuidResult cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  CpuidResult out{};
  // SAFETY: has no effect but its four results.
  asm volatile("cpuid"
               : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
               : "a"(leaf), "c"(subleaf));
  return out;
}

inline std::uint64_t read_tsc() {
  std::uint32_t low = 0, high = 0;
  // SAFETY: reads a counter.
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return low | static_cast<std::uint64_t>(high) << 32;
}

inline std::uint8_t read_port(std::uint16_t port) {
  std::uint8_t value = 0;
  // SAFETY: only COM1's registers and fw_cfg's data are read by this program.
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

inline void write_port(std::uint16_t port, std::uint8_t value) {
  // SAFETY: only COM1's registers are written by this program.
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

inline void write_port16(std::uint16_t port, std::uint16_t value) {
  // SAFETY: only fw_cfg's selector is written by this program.
  asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

inline std::uint64_t read_cr2() {
  std::uint64_t value = 0;
  // SAFETY: reads a register.
  asm volatile("mov %%cr2, %0" : "=r"(value));
  return value;
}

inline std::uint64_t read_cr4() {
  std::uint64_t value = 0;
  // SAFETY: reads a register.
  asm volatile("mov %%cr4, %0" : "=r"(value));
  return value;
}

inline void write_cr4(std::uint64_t value) {
  // SAFETY: callers keep PAE; memory clobber because paging may change.
  asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

inline void flush_tlb() {
  std::uint64_t value = 0;
  // SAFETY: reloads CR3 with itself; memory clobber orders it after the page table stores.
  asm volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(value) : : "memory");
}

inline void pause() {
  // SAFETY: a hint; memory clobber so that a polled word is read again.
  asm volatile("pause" : : : "memory");
}

inline void interrupts_off() {
  // SAFETY: only changes RFLAGS.IF.
  asm volatile("cli" : : : "memory");
}

// Takes what is pending (the handlers only set flags of this CPU), then shuts again.
inline void take_pending_interrupts() {
  // SAFETY: the IDT is loaded; handlers preserve all registers. STI's shadow ends after the NOP.
  asm volatile("sti; nop; nop; cli" : : : "memory");
}

// Sleeps until an interrupt; none is lost between the caller's check and HLT because STI takes
// effect after it.
inline void wait_for_interrupt() {
  // SAFETY: as take_pending_interrupts.
  asm volatile("sti; hlt; cli" : : : "memory");
}

[[noreturn]] inline void halt_for_ever() {
  for (;;) {
    // SAFETY: stops this CPU for good; only NMI, INIT or reset end it.
    asm volatile("cli; hlt" : : : "memory");
  }
}

}  // namespace hyp::x86
