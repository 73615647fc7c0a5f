// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/number.hpp"

#include <charconv>
#include <system_error>

namespace xl::config {

Number parse_number(std::string_view text) {
  Number number;
  if (text.starts_with('-') || text.starts_with('+')) {
    number.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number.magnitude, base);
  if (error == std::errc::invalid_argument || stop != end) {
    const bool decimal = text.find_first_not_of("0123456789") == std::string_view::npos;
    number.fault = base == 8 && decimal ? Number::Fault::bad_octal : Number::Fault::not_a_number;
  } else if (error == std::errc::result_out_of_range) {
    number.huge = true;
  }
  if (number.fault == Number::Fault::none && number.magnitude == 0 && !number.huge) {
    number.negative = false;
  }
  return number;
}

}  // namespace xl::config
