// SPDX-License-Identifier: Apache-2.0
// UTF-8 checks for text that becomes JSON. Pure.
#pragma once

#include <string>
#include <string_view>

namespace xl::api {

bool is_utf8(std::string_view text);  // no overlong forms, surrogates or values past U+10FFFF

// For names in messages: each byte that is not part of UTF-8 becomes '?'.
std::string to_utf8(std::string_view text);

}  // namespace xl::api
