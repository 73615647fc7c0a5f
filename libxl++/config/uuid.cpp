// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/uuid.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "base/error.hpp"
#include "libxl++/config/characters.hpp"

namespace xl::config {
namespace {

constexpr std::size_t digit_count = 32;
constexpr std::size_t hyphenated_length = 36;

constexpr bool is_hyphen_place(std::size_t at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<Uuid> Uuid::parse(std::string_view text) {
  const auto refuse = [&] {
    return fail(ErrorCode::invalid_argument, fmt::format("'{}' is not a UUID", printable(text)),
                "write 32 hexadecimal digits as 8-4-4-4-12");
  };
  if (text.size() != hyphenated_length && text.size() != digit_count) return refuse();
  Octets octets{};
  std::size_t digits = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.size() == hyphenated_length && is_hyphen_place(at)) {
      if (text[at] != '-') return refuse();
      continue;
    }
    const int digit = hex_digit(text[at]);
    if (digit < 0) return refuse();
    std::uint8_t& octet = octets[digits++ / 2];
    octet = static_cast<std::uint8_t>(octet << 4 | digit);
  }
  return Uuid(octets);
}

std::string to_string(const Uuid& uuid) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(hyphenated_length);
  for (const std::uint8_t octet : uuid.octets()) {
    if (is_hyphen_place(text.size())) text += '-';
    text += digits[octet >> 4U];
    text += digits[octet & 0xfU];
  }
  return text;
}

}  // namespace xl::config
