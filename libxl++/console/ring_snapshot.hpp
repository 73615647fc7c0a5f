// SPDX-License-Identifier: Apache-2.0
// RingSnapshot: a console page as it was at one moment, where another process serves the ring. What
// was printed last stays in the ring after it was taken, so it is here whatever became of it on its
// way. The guest is hostile: what it wrote is copied first, and nothing of it is trusted to make
// sense.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace xl::console {

struct RingSnapshot {
  // `page` is as Ring wants it.
  static RingSnapshot of(std::span<std::byte> page);

  // Who serves the ring has all of it. True as well of positions that make no sense, with which
  // nobody does anything.
  bool is_drained() const;
  // What was printed after the first `received` bytes (modulo 2^32), which end with `before`. Empty
  // where that does not fit to what the ring has (others have received some), or is longer than it.
  std::string rest(std::uint32_t received, std::string_view before) const;

  std::uint32_t taken = 0;     // out_cons
  std::uint32_t produced = 0;  // out_prod
  std::string last;            // what is before `produced`, at most Ring::output_size bytes
};

}  // namespace xl::console
