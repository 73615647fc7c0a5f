// SPDX-License-Identifier: Apache-2.0
// What string tokens stand for: the half of the Lexer that looks into strings.
#include <fmt/format.h>

#include <algorithm>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/lexer.hpp"

namespace xl::config {
namespace {

// The octet that a one-letter escape stands for.
std::optional<char> simple_escape(char c) {
  switch (c) {
    case '"':
    case '\'':
    case '\\': return c;
    case 'a': return '\a';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return std::nullopt;
  }
}

struct Escape {
  std::size_t length = 0;  // octets behind the backslash; 0: none of xl.cfg's escapes
  unsigned value = 0;
};

// \xHH with two digits, or one to three octal digits.
Escape numeric_escape(std::string_view text) {
  const bool hex = text.starts_with('x');
  const std::string_view digits = hex ? "0123456789abcdef" : "01234567";
  const std::size_t begin = hex ? 1 : 0;
  constexpr std::size_t most = 3;
  Escape escape{begin, 0};
  while (escape.length < std::min(text.size(), most)) {
    const char c = text[escape.length];
    const std::size_t digit =
        digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
    if (digit == std::string_view::npos) break;
    escape.value = escape.value * (hex ? 16 : 8) + static_cast<unsigned>(digit);
    ++escape.length;
  }
  const bool complete = hex ? escape.length == most : escape.length > 0;
  return complete ? escape : Escape{};
}

}  // namespace

std::optional<std::string> Lexer::decode(const Token& token) {
  std::size_t begin = token.span.offset;
  std::size_t end = begin + token.span.length;
  const bool quoted = token.kind == TokenKind::string;
  if (quoted) {
    ++begin;
    --end;
  }
  if (!check_text(begin, end)) return std::nullopt;
  const std::string_view raw = text_.substr(begin, end - begin);
  if (!quoted || raw.find('\\') == std::string_view::npos) return std::string(raw);
  std::optional<std::string> text = unescape(begin, end);
  if (text && find_invalid_utf8(*text) != std::string_view::npos) {
    error(token.span, "the escapes in this string do not make UTF-8 text", "");
    return std::nullopt;
  }
  return text;
}

// Tabs may stand in a string as they are; other control characters only as escapes, so that a text
// never hides what it holds.
bool Lexer::check_text(std::size_t begin, std::size_t end) {
  std::size_t at = begin;
  while (at < end) {
    const std::string_view rest = text_.substr(at, end - at);
    const bool control = is_control(rest.front()) && rest.front() != '\t';
    const std::size_t length = utf8_length(rest);
    if (control || length == 0) {
      const std::string octet = escape_octet(rest.front());
      error(span(at, at + 1),
            control ? fmt::format("control character {} in a string", octet)
                    : fmt::format("byte {} in a string is not UTF-8 text", octet),
            control ? fmt::format("write it as the escape {}", octet) : "save the file as UTF-8");
      return false;
    }
    at += length;
  }
  return true;
}

std::optional<std::string> Lexer::unescape(std::size_t begin, std::size_t end) {
  std::string out;
  for (std::size_t at = begin; at < end;) {
    if (text_[at] != '\\') {
      out += text_[at++];
      continue;
    }
    const std::string_view rest = text_.substr(at + 1, end - at - 1);
    if (const std::optional<char> simple = simple_escape(rest.front())) {
      out += *simple;
      at += 2;
      continue;
    }
    const Escape escape = numeric_escape(rest);
    if (escape.value == 0 || escape.value > 0xff) {
      refuse_escape(at, escape.length != 0 ? escape.length : utf8_length(rest), escape.length != 0);
      return std::nullopt;
    }
    out += static_cast<char>(escape.value);
    at += 1 + escape.length;
  }
  return out;
}

// `length` octets behind the backslash at `at` are an escape with a value that no text can hold, or
// none at all.
void Lexer::refuse_escape(std::size_t at, std::size_t length, bool has_value) {
  const std::string text = printable(text_.substr(at, 1 + length));
  const Span where = span(at, at + 1 + length);
  if (has_value) {
    error(where, fmt::format("the escape {} stands for no character", text), "");
  } else {
    error(where, fmt::format("{} is not an escape", text),
          R"(write \\ for a backslash; escapes are \" \' \\ \a \b \f \n \r \t \v \xHH \OOO)");
  }
}

}  // namespace xl::config
