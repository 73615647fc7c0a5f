// SPDX-License-Identifier: Apache-2.0
// Uuid: the 128-bit name of a domain (RFC 4122), in the byte order of its text. A plain value; no
// call does I/O, so the random bytes of a new one come from the caller.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace xl::config {

class Uuid {
 public:
  using Octets = std::array<std::uint8_t, 16>;

  // The nil UUID, all zero; Domain-0 has it.
  constexpr Uuid() = default;
  constexpr explicit Uuid(const Octets& octets) : octets_(octets) {}

  // 32 hex digits of either case in the groups 8-4-4-4-12, or all 32 without a hyphen (as libxl
  // takes it). Errors: invalid_argument, naming the text and what is wrong with it.
  static Result<Uuid> parse(std::string_view text);

  // A version 4 UUID from 16 random octets: sets the version and variant bits.
  static constexpr Uuid from_random(Octets octets) {
    octets[6] = static_cast<std::uint8_t>((octets[6] & 0x0fU) | 0x40U);
    octets[8] = static_cast<std::uint8_t>((octets[8] & 0x3fU) | 0x80U);
    return Uuid(octets);
  }

  constexpr const Octets& octets() const { return octets_; }
  constexpr bool is_nil() const { return octets_ == Octets{}; }
  constexpr auto operator<=>(const Uuid&) const = default;

 private:
  Octets octets_{};
};

// Lower case, hyphenated: "c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5f".
std::string to_string(const Uuid& uuid);

}  // namespace xl::config
