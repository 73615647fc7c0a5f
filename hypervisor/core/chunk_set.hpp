// SPDX-License-Identifier: Apache-2.0
// ChunkSet: a set of 512 small numbers, one bit each. Freestanding.
#pragma once

#include <bit>
#include <cstdint>

namespace hyp {

class ChunkSet {
 public:
  static constexpr unsigned size = 512;
  static constexpr unsigned none = ~0U;

  bool test(unsigned i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }
  void set(unsigned i) { words_[i / 64] |= 1ULL << (i % 64); }
  void clear(unsigned i) { words_[i / 64] &= ~(1ULL << (i % 64)); }
  void set_range(unsigned first, unsigned count) {
    for (unsigned i = first; i < first + count;) {
      if (i % 64 == 0 && first + count - i >= 64) {
        words_[i / 64] = ~0ULL;
        i += 64;
      } else {
        set(i++);
      }
    }
  }
  void clear_all() {
    for (std::uint64_t& word : words_) {
      word = 0;
    }
  }
  bool empty() const {
    std::uint64_t any = 0;
    for (const std::uint64_t word : words_) {
      any |= word;
    }
    return any == 0;
  }
  bool full() const {
    std::uint64_t all = ~0ULL;
    for (const std::uint64_t word : words_) {
      all &= word;
    }
    return all == ~0ULL;
  }
  unsigned first() const { return first_run(0); }

  // The first member that is also in `other`.
  unsigned first_common(const ChunkSet& other) const {
    for (unsigned w = 0; w < 8; ++w) {
      if (const std::uint64_t both = words_[w] & other.words_[w]; both != 0) {
        return w * 64 + static_cast<unsigned>(std::countr_zero(both));
      }
    }
    return none;
  }
  // The first run of 2^order members, aligned to its size; order <= 6.
  unsigned first_run(unsigned order) const {
    for (unsigned w = 0; w < 8; ++w) {
      if (const std::uint64_t runs = whole_runs(words_[w], order) & starts[order]; runs != 0) {
        return w * 64 + static_cast<unsigned>(std::countr_zero(runs));
      }
    }
    return none;
  }
  ChunkSet minus(const ChunkSet& other) const {
    ChunkSet result;
    for (unsigned w = 0; w < 8; ++w) {
      result.words_[w] = words_[w] & ~other.words_[w];
    }
    return result;
  }
  void add(const ChunkSet& other) {
    for (unsigned w = 0; w < 8; ++w) {
      words_[w] |= other.words_[w];
    }
  }
  unsigned count() const {
    unsigned sum = 0;
    // By hand: std::popcount would call into the compiler's runtime library.
    for (std::uint64_t word : words_) {
      for (; word != 0; word &= word - 1) {
        ++sum;
      }
    }
    return sum;
  }

 private:
  // Bits at multiples of 2^order.
  static constexpr std::uint64_t starts[7] = {
      ~0ULL,
      0x5555555555555555ULL,
      0x1111111111111111ULL,
      0x0101010101010101ULL,
      0x0001000100010001ULL,
      0x0000000100000001ULL,
      1ULL,
  };
  // Bit i stays where the whole run of 2^order from i on is set.
  static constexpr std::uint64_t whole_runs(std::uint64_t word, unsigned order) {
    for (unsigned step = 1; step < 1U << order; step *= 2) {
      word &= word >> step;
    }
    return word;
  }

  std::uint64_t words_[8] = {};
};
static_assert(sizeof(ChunkSet) == 64);

}  // namespace hyp
