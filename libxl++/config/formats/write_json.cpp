// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/characters.hpp"
#include "libxl++/config/formats/document.hpp"
#include "libxl++/config/formats/writers.hpp"

namespace xl::config {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\': (out += '\\') += c; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default: out += is_control(c) ? "\\u00" + escape_octet(c).substr(2) : std::string(1, c);
    }
  }
  return out + "\"";
}

std::string in_line(const Node& node) {
  switch (node.kind) {
    case Node::Kind::text: return quoted(node.text);
    case Node::Kind::number: return is_plain_integer(node.text) ? node.text : quoted(node.text);
    case Node::Kind::boolean: return node.text;
    case Node::Kind::null: return "null";
    case Node::Kind::list:
    case Node::Kind::map: break;
  }
  const bool map = node.kind == Node::Kind::map;
  std::string out(1, map ? '{' : '[');
  for (const Node& item : node.items) out += (out.size() > 1 ? ", " : "") + in_line(item);
  for (const Member& member : node.members) {
    out += (out.size() > 1 ? ", " : "") + quoted(member.name) + ": " + in_line(member.value);
  }
  return out + (map ? '}' : ']');
}

std::string written(const Node& node, std::size_t indent) {
  const bool map = node.kind == Node::Kind::map;
  std::string line = in_line(node);
  const bool fits = indent > 0 && indent + line.size() <= wide_line;
  if ((node.items.empty() && node.members.empty()) || fits) return line;
  const std::string margin(indent + 2, ' ');
  std::string out;
  for (const Node& item : node.items) {
    out += (out.empty() ? "\n" : ",\n") + margin + written(item, indent + 2);
  }
  for (const Member& member : node.members) {
    out += (out.empty() ? "\n" : ",\n") + margin + quoted(member.name) + ": " +
           written(member.value, indent + 2);
  }
  return (map ? "{" : "[") + out + "\n" + std::string(indent, ' ') + (map ? '}' : ']');
}

}  // namespace

std::string write_json(std::span<const Assignment> assignments) {
  return written(document_of(assignments), 0) + "\n";
}

}  // namespace xl::config
