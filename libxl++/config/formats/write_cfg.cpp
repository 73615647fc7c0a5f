// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/characters.hpp"
#include "libxl++/config/formats/writers.hpp"

namespace xl::config {
namespace {

// What the lexer takes for a number without quotes.
bool is_bare_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && text.front() >= '0' && text.front() <= '9' &&
         text.find_first_not_of("0123456789abcdefx") == std::string_view::npos;
}

std::string escaped(char c, char quote) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '\r') return "\\r";
  if (c == '\\' || c == quote) return {'\\', c};
  return is_control(c) ? escape_octet(c) : std::string(1, c);
}

std::string quoted(std::string_view text) {
  const bool single =
      text.find('"') != std::string_view::npos && text.find('\'') == std::string_view::npos;
  const char quote = single ? '\'' : '"';
  std::string out(1, quote);
  for (const char c : text) out += escaped(c, quote);
  return out + quote;
}

std::string in_line(const Value& value) {
  if (value.kind == Value::Kind::number && is_bare_number(value.text)) return value.text;
  if (value.kind != Value::Kind::list) return quoted(value.text);
  std::string out = "[";
  for (const Value& item : value.items) out += (out.size() > 1 ? ", " : "") + in_line(item);
  return out + "]";
}

std::string broken(const Value& list) {
  std::string out = "[\n";
  for (const Value& item : list.items) out += "    " + in_line(item) + ",\n";
  return out + "]";
}

}  // namespace

std::string write_cfg(std::span<const Assignment> assignments) {
  std::string out;
  for (const Assignment& assignment : assignments) {
    const std::string head = assignment.key + " = ";
    std::string value = in_line(assignment.value);
    const bool list = assignment.value.kind == Value::Kind::list;
    if (list && head.size() + value.size() > wide_line) value = broken(assignment.value);
    out += head + value + "\n";
  }
  return out;
}

}  // namespace xl::config
