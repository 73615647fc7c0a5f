// SPDX-License-Identifier: Apache-2.0
// Sets of physical CPUs as xl(1) and xl.cfg(5) write them: "all", "0-3,5,^1", "node:0", "^2-3".
// Pure; what the host really has is not known here.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace xl::config {

inline constexpr std::uint32_t cpu_list_limit = 1024;  // CPUs are numbered below
using CpuSet = std::bitset<cpu_list_limit>;

// Items are taken one after the other: each adds what it names, with ^ it takes it away. "all" is
// every number below the limit, and so is node 0, the only one. Errors: invalid_argument for text
// that is not a list, and for one that leaves nothing.
Result<CpuSet> parse_cpu_list(std::string_view text);

// The inverse, in the shortest form: "all" if the first `cpus` are in it, "none", or "0-2,5".
std::string format_cpu_list(const CpuSet& set, std::uint32_t cpus = cpu_list_limit);

}  // namespace xl::config
