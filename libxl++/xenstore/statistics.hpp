// SPDX-License-Identifier: Apache-2.0
// What the store has done and holds, for metrics. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "base/types.hpp"
#include "libxl++/xenstore/limits.hpp"

namespace xl::xenstore {

inline constexpr std::size_t request_types = 27;  // of the protocol, CONTROL to SET_QUOTA

// Since the process started, of all clients together.
struct RequestCounts {
  std::array<std::uint64_t, request_types> by_type{};
  std::uint64_t errors = 0;  // requests that were refused, whatever the reason
  std::uint64_t events = 0;  // watch events queued
};

// "read", "directory_part", ...; empty for a number that is no request's.
std::string_view request_name(std::size_t type);

struct Statistics {
  RequestCounts requests;
  std::uint64_t nodes = 0;
  std::uint64_t watches = 0;
  std::uint64_t guests = 0;         // introduced
  std::uint64_t journal_bytes = 0;  // 0: there is none
  std::map<DomId, LimitHits> limit_hits;
};

}  // namespace xl::xenstore
