// SPDX-License-Identifier: Apache-2.0
// Hypercalls through the page that the hypervisor fills. Source: xen.h, arch-x86/xen-x86_64.h and
// xen-x86_32.h.
#pragma once

#include <stdint.h>

extern "C" {
#include <xen/xen.h>
}

namespace guest {

using Word = unsigned long;

// Set up before guest_main() runs; page-aligned, executable.
extern unsigned char hypercall_page[4096];

inline long hypercall(Word number, Word a1 = 0, Word a2 = 0, Word a3 = 0, Word a4 = 0,
                      Word a5 = 0) {
  const Word entry = reinterpret_cast<Word>(hypercall_page) + number * 32;
  long result = 0;
#ifdef __x86_64__
  register Word r10 asm("r10") = a4;
  register Word r8 asm("r8") = a5;
  // SAFETY: the page's entry keeps all registers but the parameters, rcx and r11.
  asm volatile("call *%[entry]"
               : "=a"(result), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
               : [entry] "a"(entry)
               : "rcx", "r11", "memory");
#else
  // SAFETY: the page's entry keeps all registers but the parameters.
  asm volatile("call *%%eax"
               : "=a"(result), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4), "+D"(a5)
               : "0"(entry)
               : "memory");
#endif
  return result;
}

template <typename T>
Word address(T* pointer) {
  return reinterpret_cast<Word>(pointer);
}

struct Cpuid {
  uint32_t eax, ebx, ecx, edx;
};

inline Cpuid cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Cpuid r{};
  // SAFETY: CPUID changes these four registers only.
  asm volatile("cpuid"
               : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
               : "0"(leaf), "2"(subleaf));
  return r;
}

inline uint64_t rdmsr(uint32_t index) {
  uint32_t low = 0, high = 0;
  // SAFETY: reading an MSR has no effect on memory; a missing one faults into the trap handler.
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
  return (static_cast<uint64_t>(high) << 32) | low;
}

inline void wrmsr(uint32_t index, uint64_t value) {
  // SAFETY: the caller names an MSR whose effect it wants.
  asm volatile("wrmsr"
               :
               : "c"(index), "a"(static_cast<uint32_t>(value)),
                 "d"(static_cast<uint32_t>(value >> 32))
               : "memory");
}

inline uint64_t rdtsc() {
  uint32_t low = 0, high = 0;
  // SAFETY: reads the time stamp counter only.
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return (static_cast<uint64_t>(high) << 32) | low;
}

inline void relax() {
  // SAFETY: a hint.
  asm volatile("pause" : : : "memory");
}

}  // namespace guest
