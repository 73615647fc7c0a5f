// SPDX-License-Identifier: Apache-2.0
// What kind of value a key takes: known of every key, whether it is honoured or not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "libxl++/config/values.hpp"

namespace xl::config {

// The bound of numbers that have none of their own; libxl holds them in 32 bits.
inline constexpr std::uint64_t any_bound = 0xffffffff;

struct KeyValue {
  enum class Kind : std::uint8_t {
    text,
    number,
    boolean,
    choice,             // one of the names; or, from before they had names, the number of one
    list,               // of strings
    text_or_list,       // a string or a list of strings
    boolean_or_choice,  // 0, 1 or one of the names
    boolean_or_list,    // 0, 1 or a list of strings
    lists,              // a list of lists of strings
  };
  Kind kind = Kind::text;
  Range range = {0, any_bound};                  // of a number
  bool negative = false;                         // a number may be below 0
  std::span<const std::string_view> names = {};  // of a choice
  std::uint32_t numbers = 0;                     // of a choice: 0 to numbers - 1
};

// Whether the assignment's value is of that kind; if not, the findings say what is wrong.
bool check_value(const KeyValue& value, const Assignment& assignment, Findings& findings);

// For people: "string", "number from 256 to 3840 MiB", "one of \"ide\", \"ahci\"".
std::string describe(const KeyValue& value);
// Within a sentence, without bounds: "a number", "a list of strings".
std::string describe_short(const KeyValue& value);

}  // namespace xl::config
