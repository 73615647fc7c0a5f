// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/formats/format.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/formats/document.hpp"
#include "libxl++/config/formats/readers.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

constexpr std::string_view blanks = " \t\r\n";

// The first line that holds more than blanks and a comment.
std::string_view first_line(std::string_view text) {
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find_first_not_of(blanks), text.size());
    text.remove_prefix(begin);
    const std::string_view line = text.substr(0, text.find('\n'));
    if (!line.empty() && line.front() != '#') return line;
    text.remove_prefix(line.size());
  }
  return {};
}

// "name: x", "- x" and "---", which are nothing in xl.cfg.
bool looks_like_yaml(std::string_view line) {
  if (line.starts_with("---") || line.starts_with("%YAML") || line.starts_with("- ")) return true;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  std::string_view key = line.substr(0, colon);
  if (key.size() > 2 && key.front() == '"' && key.back() == '"')
    key = key.substr(1, key.size() - 2);
  const bool ends = colon + 1 == line.size() || blanks.find(line[colon + 1]) != blanks.npos;
  return ends && is_key(key);
}

}  // namespace

std::string_view to_string(Format format) {
  switch (format) {
    case Format::cfg: return "cfg";
    case Format::yaml: return "yaml";
    case Format::json: return "json";
    case Format::xml: return "xml";
  }
  return "cfg";
}

std::optional<Format> parse_format(std::string_view name) {
  if (name == "yml") return Format::yaml;
  const auto* const at = std::find_if(all_formats.begin(), all_formats.end(),
                                      [&](Format format) { return to_string(format) == name; });
  return at == all_formats.end() ? std::nullopt : std::optional(*at);
}

Format guess_format(std::string_view name, std::string_view text) {
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) {
    if (const std::optional<Format> format = parse_format(name.substr(dot + 1))) return *format;
  }
  const std::string_view line = first_line(text);
  const bool tag =
      line.size() > 1 && (is_key(line.substr(1, 1)) || line[1] == '?' || line[1] == '!');
  if (line.starts_with('<') && tag) return Format::xml;
  if (line.starts_with('{')) return Format::json;
  return looks_like_yaml(line) ? Format::yaml : Format::cfg;
}

void read_document(Format format, const SourceText& text, std::uint32_t source, Findings& findings,
                   std::vector<Assignment>& assignments) {
  switch (format) {
    case Format::cfg: return parse_assignments(text, source, Dialect::file, findings, assignments);
    case Format::yaml: return read_yaml(text, source, findings, assignments);
    case Format::json: return read_json(text, source, findings, assignments);
    case Format::xml: return read_xml(text, source, findings, assignments);
  }
}

bool admit_characters(const SourceText& text, std::uint32_t source, Findings& findings) {
  const std::string_view all = text.text();
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t length = utf8_length(all.substr(at));
    const char c = all[at];
    const bool control = is_control(c) && c != '\t' && c != '\n' && c != '\r';
    if (control || length == 0) {
      const std::string octet = escape_octet(c);
      findings.error({source, static_cast<std::uint32_t>(at), 1},
                     control ? fmt::format("control character {} in the text", octet)
                             : fmt::format("byte {} is not UTF-8 text", octet),
                     control ? "write it as an escape, or remove it" : "save the file as UTF-8");
      return false;
    }
    at += length;
  }
  return true;
}

bool admit_source(std::size_t size, const SourceText& source, std::uint32_t index,
                  Findings& findings) {
  if (size > max_source_size) {
    findings.error_in(index, fmt::format("more than {} KiB long; this is no domain config",
                                         max_source_size >> 10));
    return false;
  }
  const std::size_t nul = source.text().find('\0');
  if (nul != std::string_view::npos) {
    findings.error({index, static_cast<std::uint32_t>(nul), 1},
                   "NUL byte \\x00; this is not a text file", "a domain config is text: KEY=VALUE");
    return false;
  }
  return true;
}

}  // namespace xl::config
