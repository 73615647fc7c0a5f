// SPDX-License-Identifier: Apache-2.0
// Findings about a specification as Diagnostics: within the config that it stands in, or, on a
// command line, by themselves.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/config/devices/spec.hpp"
#include "libxl++/config/findings.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {

// Adds what was found about `item`, a string of the config, each with "'key': " in front. The place
// is exact if the string was written without escapes, else it is the whole string.
void report_spec(std::span<const SpecFinding> found, std::string_view key, const Value& item,
                 Findings& findings);

// The same about a list of strings, the words of one specification.
void report_specs(std::span<const SpecFinding> found, std::string_view key, const Value& list,
                  Findings& findings);

// The same about words of a command line. `name` stands where a file's name stands otherwise.
std::vector<Diagnostic> describe_spec(std::span<const SpecFinding> found, std::string_view name,
                                      std::span<const std::string> words);

}  // namespace xl::config
