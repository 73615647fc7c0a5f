// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/number.hpp"

namespace xl::config {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

TokenKind punctuation(char c) {
  switch (c) {
    case '\n': return TokenKind::newline;
    case ';': return TokenKind::semicolon;
    case '=': return TokenKind::equals;
    case ',': return TokenKind::comma;
    case '[': return TokenKind::open_list;
    case ']': return TokenKind::close_list;
    default: return TokenKind::invalid;
  }
}

std::string name_character(std::string_view text) {
  if (text == "\t") return "tab";
  if (is_control(text.front())) {
    return fmt::format("control character {}", escape_octet(text.front()));
  }
  if (utf8_length(text) == 0) {
    return fmt::format("byte {} (not UTF-8 text)", escape_octet(text.front()));
  }
  return fmt::format("character '{}'", text.substr(0, utf8_length(text)));
}

}  // namespace

Lexer::Lexer(std::string_view text, std::uint32_t source, Findings& findings)
    : text_(text), source_(source), findings_(findings) {}

void Lexer::skip_blanks() {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
}

void Lexer::skip_comment() {
  if (at_ < text_.size() && text_[at_] == '#') at_ = std::min(text_.find('\n', at_), text_.size());
}

Span Lexer::span(std::size_t begin, std::size_t end) const {
  return {source_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)};
}

Token Lexer::token(TokenKind kind, std::size_t begin) const {
  return {kind, span(begin, at_)};
}

void Lexer::error(Span where, std::string message, std::string hint) {
  if (!quiet_) findings_.error(where, std::move(message), std::move(hint));
}

// Where a value is due, most such characters begin text that lacks its quotes.
const char* Lexer::unexpected_hint(char c) const {
  const std::string_view operators = value_due_ ? "+-()" : "+-().:";
  if (operators.find(c) != std::string_view::npos) {
    return "a value is a number, a \"string\" or a [ list ], not an expression";
  }
  return value_due_ && !is_control(c) ? "put text in quotes" : "";
}

Token Lexer::next_value() {
  value_due_ = true;
  const Token value = next();
  value_due_ = false;
  return value;
}

Token Lexer::next() {
  skip_blanks();
  skip_comment();
  if (at_ == text_.size()) return token(TokenKind::end, at_);
  const char c = text_[at_];
  if (is_letter(c)) return lex_word();
  const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (is_digit(c) || ((c == '-' || c == '+') && is_digit(after))) return lex_number();
  if (c == '"' || c == '\'') return lex_string(c);
  const std::size_t begin = at_;
  if (c == '+' && after == '=') {
    at_ += 2;
    return token(TokenKind::plus_equals, begin);
  }
  const TokenKind kind = punctuation(c);
  if (kind == TokenKind::invalid) return lex_unknown();
  ++at_;
  return token(kind, begin);
}

Token Lexer::lex_word() {
  const std::size_t begin = at_;
  while (at_ < text_.size() &&
         (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.')) {
    ++at_;
  }
  return token(TokenKind::identifier, begin);
}

Token Lexer::lex_number() {
  const std::size_t begin = at_++;
  while (at_ < text_.size() &&
         (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.')) {
    ++at_;
  }
  const std::string_view text = text_.substr(begin, at_ - begin);
  // xl takes any run of these for a number; whether it is one shows when a key wants a number.
  if (text.find_first_not_of("0123456789abcdefx", 1) == std::string_view::npos) {
    return token(TokenKind::number, begin);
  }
  error(span(begin, at_), fmt::format("'{}' is not a number", printable(text)),
        "put text in quotes");
  return token(TokenKind::invalid, begin);
}

Token Lexer::lex_string(char quote) {
  const std::size_t begin = at_++;
  while (at_ < text_.size() && text_[at_] != '\n') {
    if (text_[at_] == quote) {
      ++at_;
      return token(TokenKind::string, begin);
    }
    const bool escape = text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n';
    at_ += escape ? 2 : 1;
  }
  error(span(begin, at_), "the string that begins here is not closed",
        fmt::format("add the closing {} on the same line", quote));
  return token(TokenKind::invalid, begin);
}

Token Lexer::lex_unknown() {
  const std::size_t begin = at_;
  const std::string_view rest = text_.substr(begin);
  at_ += std::max<std::size_t>(utf8_length(rest), 1);
  error(span(begin, at_), fmt::format("unexpected {}", name_character(rest)),
        unexpected_hint(rest.front()));
  return token(TokenKind::invalid, begin);
}

bool Lexer::at_bare_end(std::size_t at) const {
  while (at < text_.size() && is_blank(text_[at])) ++at;
  return at == text_.size() || text_[at] == ';' || text_[at] == '\n' || text_[at] == '#';
}

Token Lexer::next_override_value() {
  skip_blanks();
  const std::size_t begin = at_;
  if (begin < text_.size() &&
      std::string_view("\"'[").find(text_[begin]) != std::string_view::npos) {
    return next_value();
  }
  std::size_t word = begin;
  while (word < text_.size() && !is_blank(text_[word]) && text_[word] != ';' &&
         text_[word] != '\n') {
    ++word;
  }
  if (parse_number(text_.substr(begin, word - begin)).fault == Number::Fault::none &&
      at_bare_end(word)) {
    at_ = word;
    return token(TokenKind::number, begin);
  }
  at_ = std::min(text_.find_first_of(";\n", begin), text_.size());
  std::size_t end = at_;
  while (end > begin && is_blank(text_[end - 1])) --end;
  return {TokenKind::bare_string, span(begin, end)};
}

bool Lexer::at_assignment() const {
  std::size_t at = at_;
  while (at < text_.size() && is_blank(text_[at])) ++at;
  const std::string_view rest = text_.substr(at);
  return rest.starts_with('=') || rest.starts_with("+=");
}

}  // namespace xl::config
