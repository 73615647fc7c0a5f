// SPDX-License-Identifier: Apache-2.0
// What xl doctor found, as text. Pure.
#pragma once

#include <span>
#include <string>

#include "base/check.hpp"

namespace xl::cli {

// One line for each: status, name, what was found; and what to do.
std::string check_lines(std::span<const Check> checks);

}  // namespace xl::cli
