// SPDX-License-Identifier: Apache-2.0
// Shared directories (9pfs), as in p9= of xl.cfg(5), and PV Calls, which have a backend and nothing
// else. Pure.
#pragma once

#include <string>

#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

struct P9 {
  std::string backend;  // a domain; empty: domain 0
  std::string tag;
  std::string path;
  std::string security_model;

  bool operator==(const P9&) const = default;
};

struct Pvcalls {
  std::string backend;  // a domain; empty: domain 0

  bool operator==(const Pvcalls&) const = default;
};

ParsedSpec<P9> parse_p9(const std::string& spec);
ParsedSpec<Pvcalls> parse_pvcalls(const std::string& spec);

}  // namespace xl::config
