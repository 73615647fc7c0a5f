// SPDX-License-Identifier: Apache-2.0
// What holds for a config of any format, whatever its text is: an outcome is a config or errors, a
// config is valid, findings are printable, and what was read can be written in every format and
// read again without a change.
#pragma once

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/formats/convert.hpp"
#include "libxl++/config/parse.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline void check_printable(const std::vector<Diagnostic>& diagnostics) {
  require(diagnostics.size() <= max_diagnostics + 1);
  const std::string text = render(diagnostics);
  require(find_invalid_utf8(text) == std::string_view::npos);
  for (const char c : text) require(!is_control(c) || c == '\n');
}

inline void add_shape(const Value& value, std::string& out) {
  out += value.kind == Value::Kind::list ? "[" : "<" + value.text + ">";
  for (const Value& item : value.items) add_shape(item, out);
  out += value.kind == Value::Kind::list ? "]" : "";
}

// Keys and values, without what a number and a string of the same text differ in.
inline std::string shape(const std::string& text, Format format) {
  const std::array sources = {SourceText("shape", text)};
  Findings findings(sources);
  std::vector<Assignment> assignments;
  read_document(format, sources[0], 0, findings, assignments);
  std::string out;
  for (const Assignment& one : settle(std::move(assignments), findings)) {
    out += one.key + "=";
    add_shape(one.value, out);
  }
  require(!findings.has_errors());
  return out;
}

// `own` into `other` and back is what `own` alone gives.
inline void check_way(const std::string& text, Format own, Format other) {
  const Converted there = convert({"there", text}, own, other);
  check_printable(there.diagnostics);
  if (!there.text) {
    require(other == Format::xml);  // all others carry everything
    return;
  }
  require(shape(*there.text, other) == shape(text, own));
  const Converted back = convert({"back", *there.text}, other, own);
  require(back.text && shape(*back.text, own) == shape(text, own));
}

inline void check_document(std::string_view text, Format format) {
  const std::string name = "fuzz." + std::string(to_string(format));
  const Parsed parsed = parse_domain_config({name, text});
  check_printable(parsed.diagnostics);
  require(parsed.config.has_value() != has_errors(parsed.diagnostics));
  if (parsed.config) require(validate(*parsed.config).has_value());
  const Converted settled = convert({name, text}, format, format);
  check_printable(settled.diagnostics);
  if (!settled.text) return;
  const Converted again = convert({name, *settled.text}, format, format);
  require(again.text == settled.text);
  for (const Format other : {Format::cfg, Format::yaml, Format::json}) {
    check_way(*settled.text, format, other);
  }
}

}  // namespace xl::config
