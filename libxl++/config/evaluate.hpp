// SPDX-License-Identifier: Apache-2.0
// Assignments, in whatever syntax they were written, to a DomainConfig: which of them hold, what
// kind of value their keys take, what becomes of keys that are not honoured, and what the keys mean
// together.
#pragma once

#include <cstdint>
#include <vector>

#include "libxl++/config/devices/devices.hpp"
#include "libxl++/config/domain_config.hpp"
#include "libxl++/config/findings.hpp"
#include "libxl++/config/parse.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {

struct Evaluated {
  DomainConfig config;
  Devices devices;
};

// The result is valid if and only if the findings have no errors. What is missing is missing from
// the source with index `main_source`. The assignments lose their values.
Evaluated evaluate(std::vector<Assignment>& assignments, std::uint32_t main_source,
                   const ParseOptions& options, Findings& findings);

}  // namespace xl::config
