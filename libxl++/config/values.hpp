// SPDX-License-Identifier: Apache-2.0
// Reading the value of an assignment as what its key takes. None, with a finding, if it is not
// that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libxl++/config/findings.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {

struct Range {
  std::uint64_t least;
  std::uint64_t most;
  std::string_view unit = {};  // " MiB": for the message
};

// As in xl, a number is text too and a string may hold a number: name=7, memory="512".
std::optional<std::string> read_text(const Assignment& assignment, Findings& findings);
std::optional<std::uint64_t> read_number(const Assignment& assignment, Range range,
                                         Findings& findings);
// A number: 0 is false, all else true.
std::optional<bool> read_boolean(const Assignment& assignment, Findings& findings);

}  // namespace xl::config
