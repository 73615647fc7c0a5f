// SPDX-License-Identifier: Apache-2.0
// The grammar of xl.cfg(5): text to a list of assignments. What the keys mean is not known here.
//
//   file       = { [ assignment | comment ] separator }     separator = newline | ";" | end
//   assignment = key ( "=" | "+=" ) value
//   value      = string | number | list
//   list       = "[" [ value { "," value } [ "," ] ] "]"    newlines may stand anywhere in it
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libxl++/config/findings.hpp"

namespace xl::config {

struct Value {
  enum class Kind : std::uint8_t { string, number, list };
  Kind kind = Kind::string;
  Span span;
  std::string text;  // of a string: what it stands for; of a number: as written, perhaps none
  std::vector<Value> items;  // of a list
};

struct Assignment {
  std::string key;
  Span key_span;
  bool append = false;  // +=
  Value value;
};

enum class Dialect : std::uint8_t {
  file,
  overrides,  // values may be bare words
};

// Appends the assignments of `source`, one of the findings' sources, to `assignments`. What is
// wrong goes to the findings, and reading goes on behind it.
void parse_assignments(const SourceText& text, std::uint32_t source, Dialect dialect,
                       Findings& findings, std::vector<Assignment>& assignments);

}  // namespace xl::config
