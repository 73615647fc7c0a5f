// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/formats/xml_text.hpp"

#include <algorithm>

#include "libxl++/config/characters.hpp"

namespace xl::config {
namespace {

std::string reference(char c) {
  switch (c) {
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '&': return "&amp;";
    case '\'': return "&apos;";
    case '\t': return "&#9;";
    case '\n': return "&#10;";
    case '\r': return "&#13;";
    case '\x7f': return "&#127;";
    default: return std::string(1, c);
  }
}

std::string escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    out += special.find(c) == std::string_view::npos ? std::string(1, c) : reference(c);
  }
  return out;
}

}  // namespace

std::string xml_text(std::string_view text) {
  return escaped(text, "<>&\r\x7f");
}

std::string xml_attribute(std::string_view text) {
  return escaped(text, "<>&'\t\n\r\x7f");
}

std::string_view find_unwritable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text.substr(at)), 1);
    const std::string_view character = text.substr(at, length);
    const char c = character.front();
    const bool control = is_control(c) && c != '\t' && c != '\n' && c != '\r' && c != '\x7f';
    if (control || character == "\xef\xbf\xbe" || character == "\xef\xbf\xbf") return character;
    at += length;
  }
  return {};
}

}  // namespace xl::config
