// SPDX-License-Identifier: Apache-2.0
// Rates of network interfaces: "10Mb/s", "250KB/s@20ms", as in xl-network-configuration(5). Pure.
#pragma once

#include <cstdint>

#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

// So many bytes may be sent anew each time the interval begins.
struct VifRate {
  std::uint64_t bytes_per_interval = 0;
  std::uint32_t interval_us = 0;

  bool operator==(const VifRate&) const = default;
};

// None, with an error, if it is not a rate. As libxlutil: k, M, G are powers of 1000, the interval
// is 50 ms if it is not given and counts seconds without a unit (a warning says so).
std::optional<VifRate> parse_vif_rate(const Piece& text, SpecFindings& findings);

}  // namespace xl::config
