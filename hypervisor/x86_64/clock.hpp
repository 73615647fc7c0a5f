// SPDX-License-Identifier: Apache-2.0
// System time from the TSC: the formula of vcpu_time_info (public/xen.h), so that guests and
// hypervisor agree to the nanosecond. Pure; compiles on the host.
#pragma once

#include <cstdint>

namespace hyp::x86 {

__extension__ using Wide = unsigned __int128;

// nanoseconds = ((ticks << shift) * multiplier) >> 32; a negative shift goes right.
struct TscScale {
  std::uint32_t multiplier = 0;
  std::int8_t shift = 0;

  static constexpr TscScale from_khz(std::uint64_t tsc_khz) {
    constexpr std::uint64_t second = 1'000'000'000;
    std::uint64_t hz = tsc_khz * 1000;
    TscScale scale;
    for (; hz > 2 * second; hz >>= 1) {
      --scale.shift;
    }
    for (; hz <= second; hz <<= 1) {
      ++scale.shift;
    }
    scale.multiplier =
        static_cast<std::uint32_t>((second << 32) / hz);  // second < 2^30: no overflow
    return scale;
  }

  constexpr std::uint64_t to_ns(std::uint64_t ticks) const {
    const std::uint64_t shifted = shift < 0 ? ticks >> -shift : ticks << shift;
    return static_cast<std::uint64_t>((static_cast<Wide>(shifted) * multiplier) >> 32);
  }
};

}  // namespace hyp::x86
