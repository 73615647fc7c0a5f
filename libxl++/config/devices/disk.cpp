// SPDX-License-Identifier: Apache-2.0
// From the words to parameters. Blanks before a parameter are skipped, those behind it belong to
// it, as libxlutil has it.
#include "libxl++/config/devices/disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/devices/disk_reader.hpp"

namespace xl::config {
namespace {

constexpr std::string_view blanks = " \t";

constexpr std::string_view keyword_names[] = {
    "target",      "format",      "vdev",        "access",       "devtype",
    "backend",     "backendtype", "script",      "colo-host",    "colo-port",
    "colo-export", "active-disk", "hidden-disk", "specification"};
constexpr std::string_view flag_names[] = {"cdrom",   "direct-io-safe", "discard", "no-discard",
                                           "trusted", "untrusted",      "colo",    "no-colo"};

std::string_view as_is(std::string_view name) {
  return name;
}

bool is_key(std::string_view text) {
  if (text.empty() || text.front() < 'a' || text.front() > 'z') return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

void unknown_parameter(const Piece& word, std::size_t equals, DiskReader& reader,
                       SpecFindings& findings) {
  const Piece key = word.part(0, equals);
  if (!is_key(key.text)) {
    findings.error(word.place, fmt::format("'{}' holds a '='", printable(word.text)),
                   "write such a target last, as target=...");
    reader.unusable_positional();
    return;
  }
  if (std::find(std::begin(flag_names), std::end(flag_names), key.text) != std::end(flag_names)) {
    findings.error(word.place, fmt::format("'{}' takes no value", key.text),
                   fmt::format("write {}", key.text));
    return;
  }
  findings.error(key.place, fmt::format("a disk has no parameter '{}'", printable(key.text)),
                 name_hint(key.text, keyword_names, as_is));
}

void read_parameter(const Piece& word, DiskReader& reader, SpecFindings& findings) {
  const std::size_t equals = word.text.find('=');
  if (equals == std::string_view::npos) {
    if (!reader.flag(word)) reader.positional(word);
  } else if (!reader.keyword(word.part(0, equals), word.part(equals + 1))) {
    unknown_parameter(word, equals, reader, findings);
  }
}

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// The length of what libxlutil takes for a prefix in any case ("vmdk:/x", but not "vmdk:x"), or 0.
std::size_t prefix_length(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || text[0] < 'a' || text[0] > 'z') return 0;
  const std::string_view name = text.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), is_lower_or_digit)) return 0;
  return colon + 1 < text.size() && is_lower_or_digit(text[colon + 1]) ? 0 : colon;
}

void unknown_prefix(const Piece& name, DiskReader& reader, SpecFindings& findings) {
  const auto format =
      std::find_if(std::begin(disk_formats), std::end(disk_formats),
                   [&](const Choice<DiskFormat>& known) { return known.name == name.text; });
  findings.error(name.place, fmt::format("'{}:' is not a prefix", name.text),
                 format == std::end(disk_formats)
                     ? "write the target last, as target=..., if the colon belongs to it"
                     : fmt::format("write format={}", name.text));
  reader.unusable_positional();
}

void read_word(const Piece& word, DiskReader& reader, SpecFindings& findings) {
  Piece rest = word;
  while (true) {
    const std::size_t begin = rest.text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return;
    rest = rest.part(begin);
    if (rest.text.starts_with("target=")) {
      // libxlutil takes one comma off its end.
      const std::size_t length = rest.text.size() - (rest.text.ends_with(',') ? 8 : 7);
      reader.target(rest.part(7, length));
      return;
    }
    const std::size_t colon = rest.text.find(':');
    if (colon != std::string_view::npos && reader.prefix(rest.part(0, colon))) {
      rest = rest.part(colon + 1);
      continue;
    }
    const std::size_t comma = rest.text.find(',');
    if (const std::size_t length = prefix_length(rest.text); length != 0) {
      unknown_prefix(rest.part(0, length), reader, findings);
    } else {
      read_parameter(rest.part(0, comma), reader, findings);
    }
    if (comma == std::string_view::npos) return;
    rest = rest.part(comma + 1);
  }
}

}  // namespace

ParsedSpec<Disk> parse_disk(std::span<const std::string> words) {
  SpecFindings findings;
  DiskReader reader(findings);
  Piece last = Piece::whole("", 0);
  for (std::size_t i = 0; i < words.size(); ++i) {
    last = Piece::whole(words[i], static_cast<std::uint32_t>(i));
    if (!check_characters(last, findings)) return std::move(findings).finish(Disk());
    read_word(last, reader, findings);
  }
  Disk disk = std::move(reader).finish(last);
  return std::move(findings).finish(std::move(disk));
}

ParsedSpec<Disk> parse_disk(const std::string& spec) {
  return parse_disk(std::span(&spec, 1));
}

}  // namespace xl::config
