// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "libxl++/config/characters.hpp"

namespace xl::config {
namespace {

std::string place(const Location& location) {
  const std::string file = printable(location.file, 4096);
  if (location.line == 0) return file;
  return fmt::format("{}:{}:{}", file, location.line, location.column);
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
  }
  return "error";
}

std::string_view to_string(Rule rule) {
  switch (rule) {
    case Rule::syntax: return "syntax";
    case Rule::key: return "key";
    case Rule::unsupported: return "unsupported";
    case Rule::value: return "value";
    case Rule::contradiction: return "contradiction";
    case Rule::device: return "device";
    case Rule::missing: return "missing";
  }
  return "value";
}

std::string render(const Diagnostic& diagnostic) {
  std::string out = fmt::format("{}: {}: {}\n", place(diagnostic.location),
                                to_string(diagnostic.severity), diagnostic.message);
  if (diagnostic.location.line != 0) {
    const Snippet& snippet = diagnostic.snippet;
    const std::string tail(std::max(snippet.width, 1U) - 1, '~');
    out += fmt::format("    {}\n    {}^{}\n", snippet.text, std::string(snippet.caret, ' '), tail);
  }
  if (!diagnostic.hint.empty()) out += fmt::format("  hint: {}\n", diagnostic.hint);
  return out;
}

std::string render(std::span<const Diagnostic> diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) out += render(diagnostic);
  return out;
}

std::string summary(const Diagnostic& diagnostic) {
  return fmt::format("{}: {}", place(diagnostic.location), diagnostic.message);
}

bool has_errors(std::span<const Diagnostic> diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
    return diagnostic.severity == Severity::error;
  });
}

}  // namespace xl::config
