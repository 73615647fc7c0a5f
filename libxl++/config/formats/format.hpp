// SPDX-License-Identifier: Apache-2.0
// The text formats of a domain config. All of them are read into the same assignments (syntax.hpp),
// so keys, checks and findings are the same code for all.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "libxl++/config/findings.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {

enum class Format : std::uint8_t {
  cfg,   // xl.cfg(5)
  yaml,  // xl.cfg's names as a map
  json,  // the same
  xml,   // libvirt's domain XML
};
inline constexpr std::array all_formats = {Format::cfg, Format::yaml, Format::json, Format::xml};

std::string_view to_string(Format format);                  // "cfg", ...
std::optional<Format> parse_format(std::string_view name);  // exact match, and "yml"
// By the file name's extension; without one that tells, by how the text begins.
Format guess_format(std::string_view name, std::string_view text);

// Whether a source of this size is worth a reader's look: neither too long nor binary.
bool admit_source(std::size_t size, const SourceText& source, std::uint32_t index,
                  Findings& findings);

// Appends what the source, of this format, assigns; findings as parse_assignments.
void read_document(Format format, const SourceText& text, std::uint32_t source, Findings& findings,
                   std::vector<Assignment>& assignments);

}  // namespace xl::config
