// SPDX-License-Identifier: Apache-2.0
// Interrupts and exceptions of the hypervisor itself. Exceptions are bugs and panic with a report;
// interrupts only set flags of their CPU (the hypervisor runs with interrupts off and takes them at
// chosen points).
#pragma once

#include <cstdint>

namespace hyp::x86 {

inline constexpr std::uint8_t vector_doorbell = 0x30;  // IOAPIC pin 4: COM1
inline constexpr std::uint8_t vector_timer = 0x40;
inline constexpr std::uint8_t vector_kick = 0x41;  // another CPU wants attention
inline constexpr std::uint8_t vector_halt = 0x42;  // another CPU panicked
inline constexpr std::uint8_t vector_spurious = 0xff;

void build_idt();  // once, on the first CPU
void load_idt();   // on each CPU

}  // namespace hyp::x86
