// SPDX-License-Identifier: Apache-2.0
// Virtual TPMs, as in vtpm= of xl.cfg(5). Pure.
#pragma once

#include <optional>
#include <string>

#include "libxl++/config/devices/spec.hpp"
#include "libxl++/config/uuid.hpp"

namespace xl::config {

struct Vtpm {
  std::string backend;  // a domain
  std::optional<Uuid> uuid;

  bool operator==(const Vtpm&) const = default;
};

ParsedSpec<Vtpm> parse_vtpm(const std::string& spec);

}  // namespace xl::config
