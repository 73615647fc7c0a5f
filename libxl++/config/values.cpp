// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/values.hpp"

#include <fmt/format.h>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/number.hpp"

namespace xl::config {
namespace {

std::optional<Number> read_any_number(const Assignment& assignment, Findings& findings,
                                      const char* hint) {
  const Value& value = assignment.value;
  const std::string& key = assignment.key;
  if (assignment.append) {
    findings.error(assignment.key_span,
                   fmt::format("'{}' takes a number, which '+=' cannot add to", key),
                   "write = instead of +=");
    return std::nullopt;
  }
  if (value.kind == Value::Kind::list) {
    findings.error(value.span, fmt::format("'{}' takes a number, not a list", key));
    return std::nullopt;
  }
  const Number number = parse_number(value.text);
  if (number.fault != Number::Fault::none) {
    const bool octal = number.fault == Number::Fault::bad_octal;
    findings.error(value.span,
                   fmt::format("'{}' takes a number, not '{}'", key, printable(value.text)),
                   octal ? "a leading 0 means octal, which has no digits 8 and 9" : hint);
    return std::nullopt;
  }
  return number;
}

}  // namespace

std::optional<std::string> read_text(const Assignment& assignment, Findings& findings) {
  if (assignment.value.kind == Value::Kind::list) {
    findings.error(assignment.value.span,
                   fmt::format("'{}' takes a string, not a list", assignment.key));
    return std::nullopt;
  }
  return assignment.value.text;
}

std::optional<std::uint64_t> read_number(const Assignment& assignment, Range range,
                                         Findings& findings) {
  const std::optional<Number> number = read_any_number(assignment, findings, "");
  if (!number) return std::nullopt;
  if (number->negative || number->huge || number->magnitude < range.least ||
      number->magnitude > range.most) {
    findings.error(assignment.value.span,
                   fmt::format("'{}' must be from {} to {}{}, not {}", assignment.key, range.least,
                               range.most, range.unit, printable(assignment.value.text)));
    return std::nullopt;
  }
  return number->magnitude;
}

std::optional<bool> read_boolean(const Assignment& assignment, Findings& findings) {
  const std::optional<Number> number =
      read_any_number(assignment, findings, "write 1 for yes, 0 for no");
  if (!number) return std::nullopt;
  return number->huge || number->magnitude != 0;
}

}  // namespace xl::config
