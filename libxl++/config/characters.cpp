// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/characters.hpp"

#include <cstdint>

namespace xl::config {
namespace {

struct Form {
  std::size_t length;
  std::uint32_t least;  // smallest code point that may take this form
};

Form form_of(unsigned char lead) {
  if (lead < 0x80) return {1, 0};
  if (lead >= 0xc2 && lead < 0xe0) return {2, 0x80};
  if (lead >= 0xe0 && lead < 0xf0) return {3, 0x800};
  if (lead >= 0xf0 && lead < 0xf5) return {4, 0x10000};
  return {0, 0};
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const Form form = form_of(lead);
  if (form.length <= 1) return form.length;
  if (text.size() < form.length) return 0;
  std::uint32_t code = lead & (0x7fU >> form.length);
  for (std::size_t i = 1; i < form.length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0U) != 0x80U) return 0;
    code = (code << 6) | (next & 0x3fU);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < form.least || surrogate || code > 0x10ffff ? 0 : form.length;
}

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    const std::size_t length = utf8_length(text.substr(at));
    at += length == 0 ? 1 : length;
  }
  return count;
}

std::string escape_octet(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto octet = static_cast<unsigned char>(c);
  return {'\\', 'x', digits[octet >> 4], digits[octet & 0xfU]};
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t at = 0, count = 0; at < text.size(); ++count) {
    if (count == limit) return out + "...";
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0 || is_control(text[at])) {
      out += escape_octet(text[at++]);
    } else {
      out += text.substr(at, length);
      at += length;
    }
  }
  return out;
}

}  // namespace xl::config
