// SPDX-License-Identifier: Apache-2.0
// SourceText: a named text, and the way from an octet in it to the place that people read. Borrows
// name and text. Places are worked out only for findings, so the lexer counts nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "libxl++/config/diagnostic.hpp"

namespace xl::config {

// Where something stands: octets of one of the sources of a parse.
struct Span {
  std::uint32_t source = 0;  // index among the sources
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

class SourceText {
 public:
  // A byte order mark at the start is no part of the text.
  SourceText(std::string_view name, std::string_view text);

  std::string_view name() const { return name_; }
  std::string_view text() const { return text_; }

  // What reaches over the end of its line, or of the text, is cut there.
  Location locate(std::uint32_t offset, std::uint32_t length) const;
  Snippet snippet(std::uint32_t offset, std::uint32_t length) const;

 private:
  struct Line {
    std::size_t begin;
    std::size_t end;  // without the line's end mark
  };
  Line line_around(std::size_t offset) const;

  std::string_view name_;
  std::string_view text_;
};

}  // namespace xl::config
