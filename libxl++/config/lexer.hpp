// SPDX-License-Identifier: Apache-2.0
// Lexer of xl.cfg(5): tokens as spans of the text, nothing copied. Findings are reported where they
// are met; the token is then `invalid`. Borrows the text and the Findings. Used by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libxl++/config/findings.hpp"

namespace xl::config {

enum class TokenKind : std::uint8_t {
  end,
  newline,
  semicolon,
  identifier,   // [A-Za-z_][A-Za-z0-9_.]*
  number,       // [-+]?[0-9][0-9a-fx]*: what parse_number takes, and more
  string,       // in quotes, closed, without control characters
  bare_string,  // without quotes, only from next_override_value()
  equals,
  plus_equals,
  comma,
  open_list,
  close_list,
  invalid,
};

struct Token {
  TokenKind kind = TokenKind::end;
  Span span;
};

class Lexer {
 public:
  Lexer(std::string_view text, std::uint32_t source, Findings& findings);

  // Behind the end it gives `end` for ever.
  Token next();
  // The same, where a value is due: only findings differ.
  Token next_value();
  // The value of an override: a quoted string, a number or '[' as next() gives them; else all up to
  // ';', newline or end, without blanks around it, is one bare_string (which may be empty).
  Token next_override_value();
  // The same tokens, without findings: for getting over what was found wrong already.
  void set_quiet(bool quiet) { quiet_ = quiet; }
  // Whether an assignment sign comes next, blanks aside.
  bool at_assignment() const;

  std::string_view text_of(const Token& token) const {
    return text_.substr(token.span.offset, token.span.length);
  }
  // What a string, bare string or number token stands for: quotes off, escapes resolved. None, with
  // a finding, if an escape is wrong or the result is not text.
  std::optional<std::string> decode(const Token& token);

 private:
  void skip_blanks();
  void skip_comment();
  Token token(TokenKind kind, std::size_t begin) const;
  Token lex_word();
  Token lex_number();
  Token lex_string(char quote);
  Token lex_unknown();
  const char* unexpected_hint(char c) const;
  bool at_bare_end(std::size_t at) const;
  std::optional<std::string> unescape(std::size_t begin, std::size_t end);
  void refuse_escape(std::size_t at, std::size_t length, bool has_value);
  bool check_text(std::size_t begin, std::size_t end);
  Span span(std::size_t begin, std::size_t end) const;
  void error(Span where, std::string message, std::string hint);

  std::string_view text_;
  std::uint32_t source_;
  Findings& findings_;
  std::size_t at_ = 0;
  bool quiet_ = false;
  bool value_due_ = false;
};

}  // namespace xl::config
