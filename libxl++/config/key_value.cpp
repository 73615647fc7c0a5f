// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/key_value.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.hpp"
#include "libxl++/config/characters.hpp"
#include "libxl++/config/number.hpp"

namespace xl::config {
namespace {

using Kind = KeyValue::Kind;

std::string quoted(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) {
    out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", name);
  }
  return out;
}

bool is_number(std::string_view text) {
  return parse_number(text).fault == Number::Fault::none;
}

bool check_choice(const KeyValue& value, const Assignment& assignment, Findings& findings) {
  const std::optional<std::string> text = read_text(assignment, findings);
  if (!text) return false;
  if (std::find(value.names.begin(), value.names.end(), *text) != value.names.end()) return true;
  if (value.numbers > 0 && is_number(*text)) {
    return read_number(assignment, {0, value.numbers - 1}, findings).has_value();
  }
  const std::string_view near = nearest(*text, value.names, [](auto name) { return name; });
  findings.error(
      assignment.value.span,
      fmt::format("'{}': '{}' is not one of its values", assignment.key, printable(*text)),
      near.empty() ? "write one of " + quoted(value.names)
                   : fmt::format("did you mean \"{}\"?", near));
  return false;
}

// A list, of lists if depth is 2, of strings.
bool check_list(const Value& list, int depth, std::string_view key, Findings& findings) {
  bool fine = true;
  for (const Value& item : list.items) {
    const bool is_list = item.kind == Value::Kind::list;
    if (is_list != (depth > 1)) {
      findings.error(item.span, is_list
                                    ? fmt::format("'{}' takes strings, not lists in a list", key)
                                    : fmt::format("'{}' takes lists in a list, not strings", key));
      fine = false;
    } else if (is_list) {
      fine = check_list(item, depth - 1, key, findings) && fine;
    }
  }
  return fine;
}

bool check_list_of(const Assignment& assignment, int depth, Findings& findings) {
  if (assignment.value.kind == Value::Kind::list) {
    return check_list(assignment.value, depth, assignment.key, findings);
  }
  const bool strings = depth == 1;
  findings.error(assignment.value.span,
                 fmt::format("'{}' takes a list of {}, not a {}", assignment.key,
                             strings ? "strings" : "lists",
                             assignment.value.kind == Value::Kind::number ? "number" : "string"),
                 strings ? "put brackets around it: [ \"...\" ]" : "");
  return false;
}

bool check_number(const KeyValue& value, const Assignment& assignment, Findings& findings) {
  if (!value.negative) return read_number(assignment, value.range, findings).has_value();
  return read_boolean(assignment, findings).has_value();  // any number will do
}

}  // namespace

bool check_value(const KeyValue& value, const Assignment& assignment, Findings& findings) {
  const bool list = assignment.value.kind == Value::Kind::list;
  switch (value.kind) {
    case Kind::text: return read_text(assignment, findings).has_value();
    case Kind::number: return check_number(value, assignment, findings);
    case Kind::boolean: return read_boolean(assignment, findings).has_value();
    case Kind::choice: return check_choice(value, assignment, findings);
    case Kind::list: return check_list_of(assignment, 1, findings);
    case Kind::lists: return check_list_of(assignment, 2, findings);
    case Kind::text_or_list:
      return list ? check_list_of(assignment, 1, findings)
                  : read_text(assignment, findings).has_value();
    case Kind::boolean_or_list:
      return list ? check_list_of(assignment, 1, findings)
                  : read_boolean(assignment, findings).has_value();
    case Kind::boolean_or_choice:
      return is_number(assignment.value.text) ? read_boolean(assignment, findings).has_value()
                                              : check_choice(value, assignment, findings);
  }
  return false;
}

std::string describe(const KeyValue& value) {
  const bool bounded = value.range.most != any_bound;
  switch (value.kind) {
    case Kind::text: return "string";
    case Kind::number:
      return bounded ? fmt::format("number from {} to {}{}", value.range.least, value.range.most,
                                   value.range.unit)
                     : fmt::format("number{}{}", value.range.unit.empty() ? "" : " of",
                                   value.range.unit);
    case Kind::boolean: return "boolean";
    case Kind::choice: return "one of " + quoted(value.names);
    case Kind::list: return "list of strings";
    case Kind::text_or_list: return "string or list of strings";
    case Kind::boolean_or_choice: return "boolean or one of " + quoted(value.names);
    case Kind::boolean_or_list: return "boolean or list of strings";
    case Kind::lists: return "list of lists of strings";
  }
  return {};
}

std::string describe_short(const KeyValue& value) {
  switch (value.kind) {
    case Kind::number: return "a number";
    case Kind::text_or_list: return "a string or a list of strings";
    case Kind::choice: return describe(value);
    default: return "a " + describe(value);
  }
}

}  // namespace xl::config
