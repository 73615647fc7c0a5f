// SPDX-License-Identifier: Apache-2.0
#include "xl/console_matcher.hpp"

#include <re2/re2.h>

namespace xl::cli {

Outcome<ConsoleMatcher> ConsoleMatcher::create(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // a console prints any bytes
  options.set_log_errors(false);
  auto compiled = std::make_unique<re2::RE2>(pattern, options);
  if (!compiled->ok()) {
    return wrong_usage("'" + pattern + "' is not a regular expression: " + compiled->error());
  }
  return ConsoleMatcher(std::move(compiled));
}

ConsoleMatcher::ConsoleMatcher(std::unique_ptr<re2::RE2> pattern) : pattern_(std::move(pattern)) {}
ConsoleMatcher::ConsoleMatcher(ConsoleMatcher&&) noexcept = default;
ConsoleMatcher& ConsoleMatcher::operator=(ConsoleMatcher&&) noexcept = default;
ConsoleMatcher::~ConsoleMatcher() = default;

bool ConsoleMatcher::found() const {
  re2::StringPiece text(line_);
  while (!text.empty() && text[text.size() - 1] == '\r') {
    text.remove_suffix(1);
  }
  return re2::RE2::PartialMatch(text, *pattern_);
}

bool ConsoleMatcher::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    std::size_t taken = end == std::string_view::npos ? bytes.size() : end;
    taken = taken < longest_line - line_.size() ? taken : longest_line - line_.size();
    line_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    if (found()) {
      return true;
    }
    if (!bytes.empty() && bytes.front() == '\n') {
      line_.clear();
      bytes.remove_prefix(1);
    } else if (line_.size() == longest_line) {
      line_.erase(0, longest_line / 2);
    }
  }
  return false;
}

}  // namespace xl::cli
