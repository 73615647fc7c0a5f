// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace hyp::x86 {

// The TSC's rate, measured against this CPU's LAPIC timer (apic_timer_hz). Takes about 10 ms;
// interrupts off.
std::uint64_t measure_tsc_khz();

}  // namespace hyp::x86
