// SPDX-License-Identifier: Apache-2.0
// What the parsers of device specifications ("/dev/vg/x,,xvda", "mac=...,bridge=...") have in
// common: pieces of text that know where they stand, and findings about them. A specification is
// one string in xl.cfg(5), and one or more words on a command line. Plain values, without locks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libxl++/config/diagnostic.hpp"

namespace xl::config {

// Octets of one of the words.
struct SpecPlace {
  std::uint32_t word = 0;  // from 0
  std::uint32_t offset = 0;
  std::uint32_t length = 0;  // 0: the word as a whole (something is missing from it)

  bool operator==(const SpecPlace&) const = default;
};

struct SpecFinding {
  Severity severity = Severity::error;
  SpecPlace place;
  std::string message;  // one line without a full stop
  std::string hint;     // what to do; may be empty

  bool operator==(const SpecFinding&) const = default;
};

// What a parser gives: the value is there unless one of the findings is an error.
template <typename T>
struct ParsedSpec {
  std::optional<T> value;
  std::vector<SpecFinding> findings;
};

class SpecFindings {
 public:
  void error(SpecPlace place, std::string message, std::string hint = {});
  void warning(SpecPlace place, std::string message, std::string hint = {});
  // Those of a text by itself that is word number `word` here.
  void take(SpecFindings&& of_word, std::uint32_t word);
  bool has_errors() const { return has_errors_; }

  template <typename T>
  ParsedSpec<T> finish(T value) && {
    ParsedSpec<T> parsed{std::nullopt, std::move(findings_)};
    if (!has_errors_) parsed.value = std::move(value);
    return parsed;
  }

 private:
  std::vector<SpecFinding> findings_;
  bool has_errors_ = false;
};

// A piece of a word. Borrows the text.
struct Piece {
  std::string_view text;
  SpecPlace place;

  static Piece whole(std::string_view word, std::uint32_t number);
  Piece part(std::size_t offset, std::size_t length = std::string_view::npos) const;
  Piece trimmed() const;  // without blanks (space, tab) around it
};

// An error, and false, for control characters other than the tab: no specification can hold them.
bool check_characters(const Piece& word, SpecFindings& findings);

}  // namespace xl::config
