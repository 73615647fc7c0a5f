// SPDX-License-Identifier: Apache-2.0
// The keys of xl.cfg(5), in one table.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace xl::config {

struct Assignment;
struct Draft;

// Reads the key's effective assignment into the draft; what is wrong goes to the draft's findings.
using KeyHandler = void (*)(const Assignment& assignment, Draft& draft);

struct Key {
  std::string_view name;
  KeyHandler handler = nullptr;  // none: known, not supported yet
};

inline constexpr std::size_t key_count = 173;

std::span<const Key, key_count> keys();
std::optional<std::size_t> find_key(std::string_view name);  // index into keys()
std::string_view nearest_key(std::string_view name);         // empty: none is near

}  // namespace xl::config
