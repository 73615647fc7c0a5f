// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/syntax.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/lexer.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

class Parser {
 public:
  Parser(const SourceText& text, std::uint32_t source, Dialect dialect, Findings& findings)
      : findings_(findings), lexer_(text.text(), source, findings), dialect_(dialect) {
    advance();
  }

  void parse(std::vector<Assignment>& assignments) {
    while (current_.kind != TokenKind::end && !findings_.full()) {
      if (is_separator()) {
        advance();
      } else if (std::optional<Assignment> assignment = parse_assignment()) {
        assignments.push_back(std::move(*assignment));
      } else {
        recover();
      }
    }
  }

 private:
  bool is_separator() const {
    return current_.kind == TokenKind::newline || current_.kind == TokenKind::semicolon;
  }
  void advance() {
    line_begins_ = current_.kind == TokenKind::newline;
    current_ = lexer_.next();
  }
  void skip_newlines() {
    while (current_.kind == TokenKind::newline) advance();
  }

  // What is wrong about an invalid token has been reported by the lexer.
  void error(std::string message, std::string hint = {}) {
    if (current_.kind != TokenKind::invalid) {
      findings_.error(current_.span, std::move(message), std::move(hint));
    }
  }

  std::string describe_current() const {
    switch (current_.kind) {
      case TokenKind::end: return "the end of the text";
      case TokenKind::newline: return "the end of the line";
      case TokenKind::string: return "a string";
      default: return fmt::format("'{}'", printable(lexer_.text_of(current_)));
    }
  }

  std::optional<Assignment> parse_assignment();
  std::optional<Value> parse_value(std::size_t depth);
  std::optional<Value> parse_atom(Value::Kind kind);
  std::optional<Value> parse_list(std::size_t depth);
  bool parse_item_end();
  bool list_is_abandoned() const;
  void refuse_value();
  void recover();

  Findings& findings_;
  Lexer lexer_;
  Dialect dialect_;
  Token current_{TokenKind::newline, {}};
  bool line_begins_ = false;    // the current token is the first of its line
  std::size_t open_lists_ = 0;  // around the current token
};

std::optional<Assignment> Parser::parse_assignment() {
  if (current_.kind != TokenKind::identifier) {
    error(fmt::format("expected KEY=VALUE instead of {}", describe_current()));
    return std::nullopt;
  }
  Assignment assignment;
  assignment.key = lexer_.text_of(current_);
  assignment.key_span = current_.span;
  advance();
  assignment.append = current_.kind == TokenKind::plus_equals;
  if (!assignment.append && current_.kind != TokenKind::equals) {
    error(fmt::format("expected '=' behind '{}' instead of {}", printable(assignment.key),
                      describe_current()));
    return std::nullopt;
  }
  current_ = dialect_ == Dialect::overrides ? lexer_.next_override_value() : lexer_.next_value();
  std::optional<Value> value = parse_value(0);
  if (!value) return std::nullopt;
  if (!is_separator() && current_.kind != TokenKind::end) {
    error(fmt::format("expected a newline or ';' behind the value of '{}' instead of {}",
                      printable(assignment.key), describe_current()));
    return std::nullopt;
  }
  assignment.value = std::move(*value);
  return assignment;
}

std::optional<Value> Parser::parse_value(std::size_t depth) {
  switch (current_.kind) {
    case TokenKind::string:
    case TokenKind::bare_string: return parse_atom(Value::Kind::string);
    case TokenKind::number: return parse_atom(Value::Kind::number);
    case TokenKind::open_list: return parse_list(depth);
    default: refuse_value(); return std::nullopt;
  }
}

void Parser::refuse_value() {
  if (current_.kind == TokenKind::identifier) {
    const std::string word = printable(lexer_.text_of(current_));
    error(fmt::format("'{}' is not a value", word),
          fmt::format("put text in quotes: \"{}\"", word));
  } else {
    error(fmt::format("expected a value instead of {}", describe_current()),
          "a value is a number, a \"string\" or a [ list ]");
  }
}

std::optional<Value> Parser::parse_atom(Value::Kind kind) {
  std::optional<std::string> text = lexer_.decode(current_);
  if (!text) return std::nullopt;
  Value value{kind, current_.span, std::move(*text), {}};
  advance();
  return value;
}

std::optional<Value> Parser::parse_list(std::size_t depth) {
  if (depth == max_nesting) {
    error(fmt::format("lists are nested more than {} deep here", max_nesting));
    return std::nullopt;
  }
  Value list{Value::Kind::list, current_.span, {}, {}};
  ++open_lists_;
  advance();
  skip_newlines();
  while (current_.kind != TokenKind::close_list) {
    if (list_is_abandoned()) {
      findings_.error({list.span.source, list.span.offset, 1},
                      "the list that begins here is not closed", "add the closing ]");
      return std::nullopt;
    }
    std::optional<Value> item = parse_value(depth + 1);
    if (!item || !parse_item_end()) return std::nullopt;
    list.items.push_back(std::move(*item));
  }
  list.span.length = current_.span.offset + current_.span.length - list.span.offset;
  --open_lists_;
  advance();
  return list;
}

bool Parser::parse_item_end() {
  skip_newlines();
  if (current_.kind == TokenKind::comma) {
    advance();
    skip_newlines();
  } else if (current_.kind != TokenKind::close_list && !list_is_abandoned()) {
    error(fmt::format("expected ',' or ']' in a list instead of {}", describe_current()));
    return false;
  }
  return true;
}

// An assignment at the beginning of a line tells that the list before it was never closed.
bool Parser::list_is_abandoned() const {
  return current_.kind == TokenKind::end ||
         (line_begins_ && current_.kind == TokenKind::identifier && lexer_.at_assignment());
}

// Goes to the end of the statement; within an open list that is behind its closing bracket or, if
// that is missing, where a line begins with an assignment.
void Parser::recover() {
  lexer_.set_quiet(true);
  while (current_.kind != TokenKind::end) {
    if ((is_separator() && open_lists_ == 0) || list_is_abandoned()) break;
    if (current_.kind == TokenKind::open_list) ++open_lists_;
    if (current_.kind == TokenKind::close_list && open_lists_ > 0) --open_lists_;
    advance();
  }
  open_lists_ = 0;
  lexer_.set_quiet(false);
}

}  // namespace

void parse_assignments(const SourceText& text, std::uint32_t source, Dialect dialect,
                       Findings& findings, std::vector<Assignment>& assignments) {
  Parser(text, source, dialect, findings).parse(assignments);
}

}  // namespace xl::config
