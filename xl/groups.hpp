// SPDX-License-Identifier: Apache-2.0
// The subcommands by what they are about, for `xl help --long`: those that work and those that are
// refused.
#pragma once

#include <span>
#include <string_view>

namespace xl::cli {

struct CommandGroup {
  std::string_view title;
  std::span<const std::string_view> names;
};

// Every command is in one of them; in xl(1)'s order, then our own.
std::span<const CommandGroup> command_groups();

}  // namespace xl::cli
