// SPDX-License-Identifier: Apache-2.0
// Block style, as people write it; quotes only where a reader of YAML 1.1 or 1.2 might take the
// word for something else.
#include <algorithm>
#include <array>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/formats/document.hpp"
#include "libxl++/config/formats/writers.hpp"

namespace xl::config {
namespace {

using namespace std::string_view_literals;

// Booleans, null and a value key, in YAML 1.1 or 1.2.
constexpr std::array reserved = {"="sv,  "false"sv, "n"sv, "no"sv,  "null"sv, "off"sv,
                                 "on"sv, "true"sv,  "y"sv, "yes"sv, "~"sv};

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

bool is_reserved(std::string_view text) {
  const std::string word = lower(text);
  return std::find(reserved.begin(), reserved.end(), word) != reserved.end();
}

// Whether nobody can take it for anything but this text, in a block or between brackets.
bool is_safe(std::string_view text, bool flow) {
  if (text.empty() || is_reserved(text) || reads_as_number(text)) return false;
  if (!is_letter(text.front()) && text.front() != '/' && text.front() != '_') return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  const std::string_view marks = flow ? "/_.=+@%~ -:"sv : "/_.=+@%~ -:,;()^$*&!<>|\"'\\"sv;
  const bool known = std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || marks.find(c) != std::string_view::npos;
  });
  return known && text.find(": ") == std::string_view::npos &&
         (!flow || text.find(':') == std::string_view::npos);
}

// U+0080 to U+009F, U+FEFF and the line ends U+2028 and U+2029, which YAML reads as more than
// themselves, or not at all; and what is no character.
bool is_awkward(std::string_view character) {
  const bool c1 = character.size() == 2 && character[0] == '\xc2' &&
                  static_cast<unsigned char>(character[1]) < 0xa0;
  return c1 || character == "\xef\xbb\xbf" || character == "\xe2\x80\xa8" ||
         character == "\xe2\x80\xa9" || character == "\xef\xbf\xbe" || character == "\xef\xbf\xbf";
}

std::string unicode_escape(std::string_view character) {
  std::uint32_t code = static_cast<unsigned char>(character[0]) & (0x7fU >> character.size());
  for (const char c : character.substr(1)) {
    code = (code << 6) | (static_cast<unsigned char>(c) & 0x3fU);
  }
  std::string out = "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += "0123456789abcdef"[(code >> shift) & 0xfU];
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::string_view character = text.substr(0, std::max<std::size_t>(utf8_length(text), 1));
    const char c = character.front();
    text.remove_prefix(character.size());
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (is_control(c)) {
      out += escape_octet(c);
    } else {
      out += is_awkward(character) ? unicode_escape(character) : std::string(character);
    }
  }
  return out + "\"";
}

std::string atom(const Node& node, bool flow) {
  if (node.kind == Node::Kind::boolean) return node.text;
  if (node.kind == Node::Kind::number && reads_as_number(node.text)) return node.text;
  return is_safe(node.text, flow) ? node.text : quoted(node.text);
}

std::string key(std::string_view name) {
  return is_safe(name, true) ? std::string(name) : quoted(name);
}

bool is_atom(const Node& node) {
  return node.kind != Node::Kind::list && node.kind != Node::Kind::map;
}

// Lists of lists, and lists of short atoms.
std::string flow(const Node& node) {
  if (is_atom(node)) return atom(node, true);
  std::string out;
  for (const Node& item : node.items) out += (out.empty() ? "" : ", ") + flow(item);
  for (const Member& member : node.members) {
    out += (out.empty() ? "" : ", ") + key(member.name) + ": " + flow(member.value);
  }
  return node.kind == Node::Kind::map ? "{" + out + "}" : "[" + out + "]";
}

// Members of a map in a list, the first behind its "- ".
std::string block_item(const Node& map) {
  std::string out;
  for (const Member& member : map.members) {
    out += (out.empty() ? "  - " : "    ") + key(member.name) + ": " +
           (is_atom(member.value) ? atom(member.value, false) : flow(member.value)) + "\n";
  }
  return out;
}

std::string block_list(const Node& list) {
  std::string out;
  for (const Node& item : list.items) {
    if (item.kind == Node::Kind::map) {
      out += block_item(item);
    } else {
      out += "  - " + (is_atom(item) ? atom(item, false) : flow(item)) + "\n";
    }
  }
  return out;
}

std::string member_text(const Member& member) {
  const std::string head = key(member.name) + ":";
  const Node& value = member.value;
  if (is_atom(value)) return head + " " + atom(value, false) + "\n";
  const std::string line = head + " " + flow(value);
  const bool has_maps = std::any_of(value.items.begin(), value.items.end(),
                                    [](const Node& item) { return item.kind == Node::Kind::map; });
  const bool fits = line.size() <= wide_line && !has_maps;
  if (fits || value.kind == Node::Kind::map) return line + "\n";
  return head + "\n" + block_list(value);
}

}  // namespace

std::string write_yaml(std::span<const Assignment> assignments) {
  if (assignments.empty()) return "{}\n";
  std::string out;
  const Node root = document_of(assignments);
  for (const Member& member : root.members) out += member_text(member);
  return out;
}

}  // namespace xl::config
