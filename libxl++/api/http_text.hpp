// SPDX-License-Identifier: Apache-2.0
// What the client's two readers of HTTP share: bounds, one read, numbers, the error for what is not
// HTTP. For http_client.cpp and line_stream.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace xl::api::http_text {

inline constexpr std::size_t max_head = 16 * 1024;
inline constexpr std::size_t max_body = 256 * 1024 * 1024;

Error garbled(std::string_view what);
// A whole number up to max_body; trailing characters are not looked at.
bool parse_size(std::string_view text, int base, std::size_t& out);
// Appends one read's worth; 0 at the end of the stream.
Result<std::size_t> receive_into(int fd, std::string& buffer);

}  // namespace xl::api::http_text
