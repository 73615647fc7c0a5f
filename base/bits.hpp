// SPDX-License-Identifier: Apache-2.0
// Bits<Lo, Width>: one field of a register or table entry held in an unsigned word. Freestanding.
#pragma once

#include <cstdint>

namespace xl {

template <unsigned Lo, unsigned Width = 1>
struct Bits {
  static_assert(Width > 0 && Lo + Width <= 64);
  static constexpr std::uint64_t max = Width == 64 ? ~0ULL : (1ULL << Width) - 1;
  static constexpr std::uint64_t mask = max << Lo;

  static constexpr std::uint64_t get(std::uint64_t word) { return (word >> Lo) & max; }
  static constexpr bool test(std::uint64_t word) { return (word & mask) != 0; }
  static constexpr std::uint64_t make(std::uint64_t value) { return (value & max) << Lo; }
  static constexpr std::uint64_t set(std::uint64_t word, std::uint64_t value) {
    return (word & ~mask) | make(value);
  }
};

}  // namespace xl
