// SPDX-License-Identifier: Apache-2.0
// Virtual displays, as in vdispl= of xl.cfg(5). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

struct DisplayConnector {
  std::string id;
  std::uint32_t width = 0;  // in pixels
  std::uint32_t height = 0;

  bool operator==(const DisplayConnector&) const = default;
};

struct Vdispl {
  std::string backend;  // a domain; empty: domain 0
  bool backend_allocates = false;
  std::vector<DisplayConnector> connectors;  // at least one

  bool operator==(const Vdispl&) const = default;
};

ParsedSpec<Vdispl> parse_vdispl(const std::string& spec);

}  // namespace xl::config
