// SPDX-License-Identifier: Apache-2.0
// A reader of our own: nlohmann's tells where a syntax error is, not where a value is.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/formats/document.hpp"
#include "libxl++/config/formats/readers.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

constexpr std::string_view number_letters = "0123456789+-.eE";

class JsonParser {
 public:
  JsonParser(const SourceText& text, std::uint32_t source, Findings& findings)
      : text_(text.text()), source_(source), findings_(findings) {}

  std::optional<Node> parse() {
    std::optional<Node> root = parse_value(0);
    if (!root) return std::nullopt;
    skip_blanks();
    if (at_ < text_.size()) return error("expected the end of the text");
    return root;
  }

 private:
  Span span(std::size_t begin, std::size_t end) const {
    return {source_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)};
  }
  // At the place where reading stands.
  std::nullopt_t error(std::string message, std::string hint = {}) {
    std::string what = "the end of the text";
    std::size_t length = 0;
    if (at_ < text_.size()) {
      length = std::max<std::size_t>(utf8_length(text_.substr(at_)), 1);
      const bool ends = text_[at_] == '\n' || text_[at_] == '\r';
      what =
          ends ? "the end of the line" : fmt::format("'{}'", printable(text_.substr(at_, length)));
    }
    findings_.error(span(at_, at_ + length), fmt::format("{} instead of {}", message, what),
                    std::move(hint));
    return std::nullopt;
  }
  std::nullopt_t error_at(Span where, std::string message, std::string hint = {}) {
    findings_.error(where, std::move(message), std::move(hint));
    return std::nullopt;
  }
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::optional<Node> parse_value(std::size_t depth);
  std::optional<Node> parse_word();
  std::optional<Node> parse_number_text();
  std::optional<Node> parse_list(std::size_t depth);
  std::optional<Node> parse_map(std::size_t depth);
  bool parse_member(Node& map, std::size_t depth);
  bool parse_list_item(Node& list, std::size_t depth);
  std::optional<std::string> parse_string();
  bool parse_escape(std::string& out);
  std::optional<std::uint32_t> parse_hex();
  bool parse_unicode(std::size_t begin, std::string& out);

  std::string_view text_;
  std::uint32_t source_;
  Findings& findings_;
  std::size_t at_ = 0;
  std::size_t nodes_ = 0;
};

void append_utf8(std::uint32_t code, std::string& out) {
  const auto put = [&](std::uint32_t octet) { out += static_cast<char>(octet); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | (code >> 6));
  } else if (code < 0x10000) {
    put(0xe0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3f));
  } else {
    put(0xf0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3f));
    put(0x80 | ((code >> 6) & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

std::optional<Node> JsonParser::parse_value(std::size_t depth) {
  skip_blanks();
  if (++nodes_ > max_document_nodes) {
    return error_at(span(at_, at_), fmt::format("more than {} values", max_document_nodes));
  }
  if (at_ == text_.size()) return error("expected a value");
  const char c = text_[at_];
  if (c == '{' || c == '[') {
    if (depth == max_nesting) {
      return error_at(span(at_, at_ + 1),
                      fmt::format("values are nested more than {} deep here", max_nesting));
    }
    return c == '{' ? parse_map(depth) : parse_list(depth);
  }
  if (c == '"') {
    const std::size_t begin = at_;
    std::optional<std::string> text = parse_string();
    if (!text) return std::nullopt;
    return Node{Node::Kind::text, span(begin, at_), std::move(*text)};
  }
  if (number_letters.substr(0, 12).find(c) != std::string_view::npos) return parse_number_text();
  return parse_word();
}

std::optional<Node> JsonParser::parse_word() {
  const std::size_t begin = at_;
  const std::string_view rest = text_.substr(at_);
  const std::size_t length = std::min(
      rest.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"), rest.size());
  const std::string_view word = rest.substr(0, length);
  if (word != "true" && word != "false" && word != "null") {
    if (word.empty()) return error("expected a value");
    return error_at(span(begin, begin + length),
                    fmt::format("'{}' is not a value", printable(word)),
                    fmt::format("put text in quotes: \"{}\"", printable(word)));
  }
  at_ += length;
  const Node::Kind kind = word == "null" ? Node::Kind::null : Node::Kind::boolean;
  return Node{kind, span(begin, at_), std::string(word)};
}

// What JSON takes: -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
bool is_json_number(std::string_view text) {
  const auto digits = [&] {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool zero = text.starts_with('0');
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

std::optional<Node> JsonParser::parse_number_text() {
  const std::size_t begin = at_;
  at_ = std::min(text_.find_first_of(" \t\r\n,]}:", at_), text_.size());
  const std::string_view text = text_.substr(begin, at_ - begin);
  if (!is_json_number(text)) {
    return error_at(span(begin, at_), fmt::format("'{}' is not a number of JSON", printable(text)),
                    "JSON has decimal numbers only; put others in quotes");
  }
  const bool whole = reads_as_number(text);
  return Node{whole ? Node::Kind::number : Node::Kind::text, span(begin, at_), std::string(text)};
}

std::optional<Node> JsonParser::parse_list(std::size_t depth) {
  Node list{Node::Kind::list, span(at_, at_ + 1)};
  const std::size_t begin = at_++;
  if (!take(']')) {
    do {
      if (!parse_list_item(list, depth)) return std::nullopt;
    } while (take(','));
    if (!take(']')) return error("expected ',' or ']' in a list");
  }
  list.span = span(begin, at_);
  return list;
}

bool JsonParser::parse_list_item(Node& list, std::size_t depth) {
  std::optional<Node> item = parse_value(depth + 1);
  if (item) list.items.push_back(std::move(*item));
  return item.has_value();
}

std::optional<Node> JsonParser::parse_map(std::size_t depth) {
  Node map{Node::Kind::map, span(at_, at_ + 1)};
  const std::size_t begin = at_++;
  if (!take('}')) {
    do {
      if (!parse_member(map, depth)) return std::nullopt;
    } while (take(','));
    if (!take('}')) return error("expected ',' or '}' in an object");
  }
  map.span = span(begin, at_);
  return map;
}

bool JsonParser::parse_member(Node& map, std::size_t depth) {
  skip_blanks();
  const std::size_t begin = at_;
  if (at_ == text_.size() || text_[at_] != '"') {
    error("expected a key in double quotes");
    return false;
  }
  std::optional<std::string> name = parse_string();
  if (!name) return false;
  Member member{std::move(*name), span(begin, at_), {}};
  if (!take(':')) {
    error(fmt::format("expected ':' behind \"{}\"", printable(member.name)));
    return false;
  }
  std::optional<Node> value = parse_value(depth + 1);
  if (!value) return false;
  member.value = std::move(*value);
  map.members.push_back(std::move(member));
  return true;
}

std::optional<std::string> JsonParser::parse_string() {
  const std::size_t begin = at_++;
  std::string out;
  while (true) {
    const std::size_t stop = std::min(text_.find_first_of("\"\\\n\t", at_), text_.size());
    out += text_.substr(at_, stop - at_);
    at_ = stop;
    if (at_ == text_.size() || text_[at_] == '\n') {
      return error_at(span(begin, at_), "the string that begins here is not closed",
                      "add the closing \" on the same line");
    }
    if (text_[at_] == '\t') {
      return error_at(span(at_, at_ + 1), "tab in a string", "write it as the escape \\t");
    }
    if (text_[at_] == '"') {
      ++at_;
      return out;
    }
    if (!parse_escape(out)) return std::nullopt;
  }
}

bool JsonParser::parse_escape(std::string& out) {
  constexpr std::string_view letters = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  const std::size_t begin = at_;
  const char letter = at_ + 1 < text_.size() ? text_[at_ + 1] : '\n';
  if (letter == 'u') {
    at_ += 2;
    return parse_unicode(begin, out);
  }
  const std::size_t index = letters.find(letter);
  if (index == std::string_view::npos) {
    const std::size_t length =
        letter == '\n' ? 0 : std::max<std::size_t>(utf8_length(text_.substr(at_ + 1)), 1);
    error_at(span(begin, begin + 1 + length),
             fmt::format("{} is not an escape", printable(text_.substr(begin, 1 + length))),
             R"(write \\ for a backslash; escapes are \" \\ \/ \b \f \n \r \t \uHHHH)");
    return false;
  }
  out += meanings[index];
  at_ += 2;
  return true;
}

std::optional<std::uint32_t> JsonParser::parse_hex() {
  std::uint32_t value = 0;
  for (int count = 0; count < 4; ++count, ++at_) {
    constexpr std::string_view digits = "0123456789abcdef0123456789ABCDEF";
    const std::size_t digit = at_ < text_.size() ? digits.find(text_[at_]) : std::string_view::npos;
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit % 16);
  }
  return value;
}

bool JsonParser::parse_unicode(std::size_t begin, std::string& out) {
  std::optional<std::uint32_t> code = parse_hex();
  const auto is_half = [](std::uint32_t c, std::uint32_t base) { return (c & 0xfc00U) == base; };
  if (code && is_half(*code, 0xd800)) {
    const bool follows = text_.substr(at_).starts_with("\\u");
    at_ += follows ? 2 : 0;
    const std::optional<std::uint32_t> low = follows ? parse_hex() : std::nullopt;
    code = low && is_half(*low, 0xdc00)
               ? std::optional(0x10000 + ((*code & 0x3ffU) << 10) + (*low & 0x3ffU))
               : std::nullopt;
  } else if (code && (*code == 0 || is_half(*code, 0xdc00))) {
    code.reset();
  }
  if (!code) {
    error_at(span(begin, at_), fmt::format("the escape {} stands for no character",
                                           printable(text_.substr(begin, at_ - begin))));
    return false;
  }
  append_utf8(*code, out);
  return true;
}

}  // namespace

void read_json(const SourceText& text, std::uint32_t source, Findings& findings,
               std::vector<Assignment>& assignments) {
  if (!admit_characters(text, source, findings)) return;
  if (const std::optional<Node> root = JsonParser(text, source, findings).parse()) {
    assign_document(*root, findings, assignments);
  }
}

}  // namespace xl::config
