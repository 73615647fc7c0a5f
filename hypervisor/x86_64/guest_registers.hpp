// SPDX-License-Identifier: Apache-2.0
// The guest registers that the VMCB does not hold; vmrun.S knows the offsets.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hyp::x86 {

struct GuestRegisters {
  std::uint64_t rcx, rdx, rbx, rbp, rsi, rdi;
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
};
static_assert(sizeof(GuestRegisters) == 14 * 8 && offsetof(GuestRegisters, rdi) == 40 &&
              offsetof(GuestRegisters, r15) == 104);

// One turn in the guest: from VMRUN to the next #VMEXIT. Interrupts off before and after; physical
// interrupts, NMI and INIT end the turn and stay pending. `host_vmcb` holds what VMSAVE kept of
// this CPU.
extern "C" void run_guest(GuestRegisters* registers, std::uint64_t guest_vmcb,
                          std::uint64_t host_vmcb);

}  // namespace hyp::x86
