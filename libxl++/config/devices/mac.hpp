// SPDX-License-Identifier: Apache-2.0
// Ethernet addresses. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace xl::config {

struct MacAddress {
  std::array<std::uint8_t, 6> octets{};

  // Six groups of one or two hexadecimal digits, with colons between them. invalid_argument.
  static Result<MacAddress> parse(std::string_view text);
  bool is_multicast() const { return (octets[0] & 1) != 0; }

  bool operator==(const MacAddress&) const = default;
};

std::string to_string(const MacAddress& address);  // "00:16:3e:0a:0b:0c"

}  // namespace xl::config
