// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/calibrate.hpp"

#include "hypervisor/x86_64/apic.hpp"
#include "hypervisor/x86_64/instructions.hpp"

namespace hyp::x86 {
namespace {

struct Sample {
  std::uint64_t tsc;
  std::uint32_t ticks_left;
};

// Both counters at nearly one moment: of several tries the one with the narrowest bracket, because
// the host may preempt an emulated CPU between two instructions.
Sample sample() {
  Sample best{};
  std::uint64_t best_width = ~0ULL;
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t before = read_tsc();
    const std::uint32_t left = local_apic().timer_left();
    const std::uint64_t width = read_tsc() - before;
    if (width < best_width) {
      best_width = width;
      best = {before + width / 2, left};
    }
  }
  return best;
}

}  // namespace

std::uint64_t measure_tsc_khz() {
  constexpr std::uint32_t start = 0xffffffff;
  constexpr std::uint32_t period = apic_timer_hz / 100;
  local_apic().start_timer(start);
  const Sample first = sample();
  while (first.ticks_left - local_apic().timer_left() < period) {
    pause();
  }
  const Sample last = sample();
  local_apic().start_timer(0);
  const std::uint64_t apic_ticks = first.ticks_left - last.ticks_left;
  return (last.tsc - first.tsc) * (apic_timer_hz / 1000) / apic_ticks;
}

}  // namespace hyp::x86
