// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/base64.hpp"

#include <cstdint>

namespace xl::api {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t octet(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::uint32_t group =
        octet(bytes, at) << 16 | octet(bytes, at + 1) << 8 | octet(bytes, at + 2);
    const std::size_t present = bytes.size() - at;
    text += alphabet[group >> 18];
    text += alphabet[group >> 12 & 63];
    text += present > 1 ? alphabet[group >> 6 & 63] : '=';
    text += present > 2 ? alphabet[group & 63] : '=';
  }
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::size_t padding = 0;
    if (at + 4 == text.size()) {
      padding = text[at + 3] != '=' ? 0 : text[at + 2] != '=' ? 1 : 2;
    }
    std::uint32_t group = 0;
    for (std::size_t digit = 0; digit < 4; ++digit) {
      std::size_t value = 0;
      if (digit < 4 - padding) {
        value = alphabet.find(text[at + digit]);
        if (value == std::string_view::npos) {
          return std::nullopt;
        }
      }
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    for (std::size_t index = 0; index < 3 - padding; ++index) {
      bytes += static_cast<char>(group >> (16 - 8 * index) & 0xff);
    }
  }
  return bytes;
}

}  // namespace xl::api
