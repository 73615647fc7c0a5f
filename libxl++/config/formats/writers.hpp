// SPDX-License-Identifier: Apache-2.0
// One writer for each format, the inverse of its reader: reading what it wrote gives the same keys
// with the same values. An atom's kind may change where its text does not tell ("0x10" in JSON is a
// string); to the keys it is the same. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "libxl++/config/findings.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {

// Each key once, none with +=.
std::string write_cfg(std::span<const Assignment> assignments);
std::string write_yaml(std::span<const Assignment> assignments);
std::string write_json(std::span<const Assignment> assignments);
// None if XML cannot carry a value; the finding says which.
std::optional<std::string> write_xml(std::span<const Assignment> assignments, Findings& findings);

// Lines that are longer are broken where a list can be.
inline constexpr std::size_t wide_line = 80;

}  // namespace xl::config
