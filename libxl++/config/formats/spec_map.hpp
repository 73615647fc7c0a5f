// SPDX-License-Identifier: Apache-2.0
// The strings with a grammar of their own ("spec strings": disk, vif, pci, ...) as maps.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libxl++/config/formats/document.hpp"

namespace xl::config {

// The spec string for a map that stands as a value of `key` (for vnuma a list of strings). None,
// with a finding, if it cannot be one.
std::optional<Value> value_of_map(std::string_view key, const Node& map, Findings& findings);

// The map that value_of_map turns into exactly this value, if there is one.
std::optional<Node> map_of_value(std::string_view key, const Value& value);

}  // namespace xl::config
