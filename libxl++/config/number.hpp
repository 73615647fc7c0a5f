// SPDX-License-Identifier: Apache-2.0
// Integers as xl.cfg(5) writes them.
#pragma once

#include <cstdint>
#include <string_view>

namespace xl::config {

struct Number {
  enum class Fault : std::uint8_t {
    none,
    not_a_number,
    bad_octal,  // decimal digits behind a leading 0, with an 8 or a 9 among them
  };
  Fault fault = Fault::none;
  bool negative = false;
  bool huge = false;  // the magnitude does not fit: larger than any bound
  std::uint64_t magnitude = 0;
};

// An optional sign, then decimal, octal (leading 0) or hexadecimal (leading 0x) digits; the whole
// text must be used up.
Number parse_number(std::string_view text);

}  // namespace xl::config
