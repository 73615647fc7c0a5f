// SPDX-License-Identifier: Apache-2.0
// Diagnostic: one finding in a source text, complete in itself: it keeps the piece of the line that
// it is about, so it can outlive the text, travel over the API and be rendered elsewhere. Plain
// values, without locks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xl::config {

enum class Severity : std::uint8_t { error, warning };

std::string_view to_string(Severity severity);  // "error", "warning"

// A place in a source, for people: lines and columns count from 1, columns in characters (a tab is
// one). Line 0: the finding has no place (something is missing from the whole source).
struct Location {
  std::string file;  // the Source's name
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 0;  // in characters, within the line; at least 1 when there is a line

  bool operator==(const Location&) const = default;
};

// The line around a finding, safe to print: tabs expanded, control characters and invalid UTF-8
// escaped, cut to a window
// ("..." where cut). caret and width count terminal columns (every character counts one) in text,
// from 0.
struct Snippet {
  std::string text;
  std::uint32_t caret = 0;
  std::uint32_t width = 0;

  bool operator==(const Snippet&) const = default;
};

// What kind of thing a finding is about, for tools that sort them.
enum class Rule : std::uint8_t {
  syntax,         // the text is not one of its format
  key,            // a key that is not known, or has no effect
  unsupported,    // what a PVH domain cannot have
  value,          // a key's value by itself
  contradiction,  // what two keys say together
  device,         // the specification of a device
  missing,        // something that has no place: it is not there, or the whole source is wrong
};
inline constexpr Rule all_rules[] = {Rule::syntax, Rule::key,           Rule::unsupported,
                                     Rule::value,  Rule::contradiction, Rule::device,
                                     Rule::missing};
std::string_view to_string(Rule rule);  // "syntax", ...

struct Diagnostic {
  Severity severity = Severity::error;
  Location location;
  std::string message;  // one line without a full stop
  std::string hint;     // what to do; may be empty
  Snippet snippet;      // empty when location has no line
  Rule rule = Rule::value;

  bool operator==(const Diagnostic&) const = default;
};

// file:line:column: error: message
//     the source line
//         ^~~~
//   hint: what to do
// Each line ends with a newline.
std::string render(const Diagnostic& diagnostic);
std::string render(std::span<const Diagnostic> diagnostics);

// "file:line:column: message": the one line for a log or for an Error.
std::string summary(const Diagnostic& diagnostic);

bool has_errors(std::span<const Diagnostic> diagnostics);

}  // namespace xl::config
