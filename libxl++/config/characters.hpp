// SPDX-License-Identifier: Apache-2.0
// Octets as characters: UTF-8 stepping, and printing of what a terminal must not get raw.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace xl::config {

// Octets of the UTF-8 character that `text` begins with; 0 if it begins with none (overlong forms,
// surrogates and what lies above U+10FFFF are none). `text` must not be empty.
std::size_t utf8_length(std::string_view text);

// Offset of the first octet that is not part of UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text);

// How many characters; an octet that is not UTF-8 counts as one.
std::size_t count_characters(std::string_view text);

constexpr bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// "\x1f"
std::string escape_octet(char c);

// The text with control characters and octets that are not UTF-8 as \xHH, cut (with "...") behind
// `limit` characters. For quoting input in messages.
std::string printable(std::string_view text, std::size_t limit = 60);

}  // namespace xl::config
