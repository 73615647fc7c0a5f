// SPDX-License-Identifier: Apache-2.0
// Text as XML writes it.
#pragma once

#include <string>
#include <string_view>

namespace xl::config {

std::string xml_text(std::string_view text);       // between tags
std::string xml_attribute(std::string_view text);  // between '

// The first character that XML 1.0 has no way to write; empty if there is none.
std::string_view find_unwritable(std::string_view text);

}  // namespace xl::config
