// SPDX-License-Identifier: Apache-2.0
// What may stand between `xl` and the command.
#pragma once

#include <span>

#include "xl/command.hpp"

namespace xl::cli {

struct GlobalOptions {
  Arguments arguments;    // without words
  bool help = false;      // -h or --help
  std::size_t words = 0;  // how many were options; the next one is the command
};

// Letters may be joined, -vN. Error: usage.
Outcome<GlobalOptions> parse_global_options(std::span<char* const> words);

}  // namespace xl::cli
