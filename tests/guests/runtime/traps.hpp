// SPDX-License-Identifier: Apache-2.0
// Exceptions and interrupts of the 64-bit guests. A vector without a handler fails the guest and
// says where.
#pragma once

#include <stdint.h>

namespace guest {

struct TrapFrame {  // as traps64.S pushes it
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
  uint64_t vector, error;
  uint64_t rip, cs, rflags, rsp, ss;
};

using TrapHandler = void (*)(TrapFrame&);

void load_traps();  // each CPU for itself
void set_trap_handler(unsigned vector, TrapHandler handler);

inline void enable_interrupts() {
  // SAFETY: handlers are in place before it is called.
  asm volatile("sti" : : : "memory");
}
inline void disable_interrupts() {
  // SAFETY: no memory is touched.
  asm volatile("cli" : : : "memory");
}

// Sleeps until an interrupt comes; one that came while interrupts were off ends it at once. Returns
// with them on.
inline void wait_for_interrupt() {
  // SAFETY: handlers are in place before it is called; sti takes effect after hlt.
  asm volatile("sti; hlt" : : : "memory");
}

}  // namespace guest
