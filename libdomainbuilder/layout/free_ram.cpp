// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/layout/free_ram.hpp"

#include <algorithm>

namespace xl::build {

void FreeRam::take(PhysSpan span) {
  const PhysSpan pages{page_down(span.start), page_up(span.end)};
  const auto at = std::find_if(taken_.begin(), taken_.end(),
                               [&](const PhysSpan& other) { return other.start > pages.start; });
  taken_.insert(at, pages);
}

std::optional<GuestPhys> FreeRam::first_fit(GuestPhys from, Bytes size) const {
  GuestPhys start = std::max(page_up(from), ram_.start);
  for (const PhysSpan& span : taken_) {
    if (span.start >= start && span.start - start >= size) {
      break;  // fits into the gap before it
    }
    start = std::max(start, span.end);
  }
  // Compared as distances, so that a huge size cannot wrap.
  if (start > ram_.end || ram_.end - start < size) {
    return std::nullopt;
  }
  return start;
}

}  // namespace xl::build
