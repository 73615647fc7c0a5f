// SPDX-License-Identifier: Apache-2.0
// A config from one format into another. Keys are carried over whether xl knows them or not. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libxl++/config/diagnostic.hpp"
#include "libxl++/config/formats/format.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {

struct Converted {
  std::optional<std::string> text;  // present if and only if there is no error
  std::vector<Diagnostic> diagnostics;
};

// `from`: none: as guess_format says.
Converted convert(const Source& source, std::optional<Format> from, Format to);

// What holds when all is read: each key once, += done, in the order in which people write them.
std::vector<Assignment> settle(std::vector<Assignment> assignments, Findings& findings);

}  // namespace xl::config
