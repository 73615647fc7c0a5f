// SPDX-License-Identifier: Apache-2.0
// FreeRam: which pages of one stretch of RAM are in use, and where something more fits.
#pragma once

#include <optional>
#include <vector>

#include "base/types.hpp"

namespace xl::build {

// [start, end)
struct PhysSpan {
  GuestPhys start;
  GuestPhys end;

  bool holds(PhysSpan other) const { return start <= other.start && other.end <= end; }
  bool meets(PhysSpan other) const { return other.start < end && start < other.end; }
};

constexpr GuestPhys page_down(GuestPhys at) {
  return to_phys(to_gfn(at));
}
constexpr GuestPhys page_up(GuestPhys at) {
  return to_phys(Gfn(0) + to_pages_up(at - GuestPhys(0)));
}

class FreeRam {
 public:
  explicit FreeRam(PhysSpan ram) : ram_(ram) {}

  // Takes every page that `span` touches; pages may be taken more than once.
  void take(PhysSpan span);

  // The lowest run of free pages for `size` bytes at or after `from`.
  std::optional<GuestPhys> first_fit(GuestPhys from, Bytes size) const;

 private:
  PhysSpan ram_;
  std::vector<PhysSpan> taken_;  // whole pages, ascending by start
};

}  // namespace xl::build
