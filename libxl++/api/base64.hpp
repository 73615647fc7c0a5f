// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648, with padding): config text that is not UTF-8 travels so. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace xl::api {

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);  // none: not base64

}  // namespace xl::api
