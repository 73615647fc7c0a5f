// SPDX-License-Identifier: Apache-2.0
// Amounts of memory on the command line, as xl has them: MiB, or with a suffix b, k, m, g or t.
#pragma once

#include <cstdint>
#include <string_view>

#include "xl/command.hpp"

namespace xl::cli {

// In KiB, bytes rounded down. Error: usage.
Outcome<std::uint64_t> parse_memory_kib(std::string_view text);
// "160 MiB", or KiB where that is not whole.
std::string memory_text(std::uint64_t kib);

}  // namespace xl::cli
