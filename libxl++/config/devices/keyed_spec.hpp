// SPDX-License-Identifier: Apache-2.0
// Specifications that are lists of key=value and flags, with commas between them: all but disks.
// Blanks around keys and values are no part of them, empty items count nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/config/devices/choice.hpp"
#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

struct SpecItem {
  Piece whole;
  Piece key;
  std::optional<Piece> value;  // none: there is no '='
};

std::vector<SpecItem> split_items(std::span<const std::string> words, SpecFindings& findings);

// --- values; none, with an error, if it is not one ---
std::optional<std::uint64_t> read_natural(const SpecItem& item, std::uint64_t least,
                                          std::uint64_t most, SpecFindings& findings);
std::optional<bool> read_flag(const SpecItem& item, SpecFindings& findings);  // a number: 0 is no
std::optional<std::string> read_string(const SpecItem& item, SpecFindings& findings);  // not empty

template <typename Device>
struct SpecKey {
  std::string_view name;
  void (*read)(const SpecItem& item, Device& device, SpecFindings& findings);
  bool is_flag = false;  // stands alone, without a value
};

// --- what is said of items that do not fit; `what` is "a vif" ---
void report_unknown(const SpecItem& item, std::string_view what, std::string hint,
                    SpecFindings& findings);
void report_repeated(const SpecItem& item, SpecFindings& findings);
// Whether the item has a value if it needs one, and none if it takes none.
bool check_form(const SpecItem& item, bool is_flag, SpecFindings& findings);

template <typename Device, typename Keys>
void read_items(std::span<const std::string> words, std::string_view what, const Keys& keys,
                Device& device, SpecFindings& findings) {
  std::vector<std::string_view> seen;
  for (const SpecItem& item : split_items(words, findings)) {
    const auto found = std::find_if(std::begin(keys), std::end(keys),
                                    [&](const auto& key) { return key.name == item.key.text; });
    if (found == std::end(keys)) {
      report_unknown(item, what,
                     name_hint(item.key.text, keys, [](const auto& key) { return key.name; }),
                     findings);
      continue;
    }
    if (std::find(seen.begin(), seen.end(), found->name) != seen.end()) {
      report_repeated(item, findings);
    }
    seen.push_back(found->name);
    if (check_form(item, found->is_flag, findings)) found->read(item, device, findings);
  }
}

}  // namespace xl::config
