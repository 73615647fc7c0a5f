// SPDX-License-Identifier: Apache-2.0
// ConsoleMatcher looks for a regular expression in what a console prints, line by line and also in
// the line that is not complete yet (a prompt has no end). RE2's syntax: time and memory are linear
// in the text whatever the pattern is. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "xl/command.hpp"

namespace re2 {
class RE2;
}

namespace xl::cli {

class ConsoleMatcher {
 public:
  // Error usage: not a regular expression, and why.
  static Outcome<ConsoleMatcher> create(const std::string& pattern);
  ConsoleMatcher(ConsoleMatcher&&) noexcept;
  ConsoleMatcher& operator=(ConsoleMatcher&&) noexcept;
  ~ConsoleMatcher();

  // Whether the pattern was found in the lines that these bytes belong to.
  bool feed(std::string_view bytes);
  // Another console: what was kept of a line does not go on.
  void restart() { line_.clear(); }

 private:
  // A line that is longer is looked at in pieces that overlap by half.
  static constexpr std::size_t longest_line = 4096;

  explicit ConsoleMatcher(std::unique_ptr<re2::RE2> pattern);
  bool found() const;

  std::unique_ptr<re2::RE2> pattern_;
  std::string line_;
};

}  // namespace xl::cli
