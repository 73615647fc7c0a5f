// SPDX-License-Identifier: Apache-2.0
// One reader for each format but xl.cfg, whose reader is parse_assignments (syntax.hpp). Each is
// pure, and bounded in time, depth and memory by limits.hpp whatever the text is.
#pragma once

#include <cstdint>
#include <vector>

#include "libxl++/config/findings.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {

// YAML 1.2 by yaml-cpp: one document, a map of xl.cfg's keys.
void read_yaml(const SourceText& text, std::uint32_t source, Findings& findings,
               std::vector<Assignment>& assignments);
// RFC 8259: an object of xl.cfg's keys.
void read_json(const SourceText& text, std::uint32_t source, Findings& findings,
               std::vector<Assignment>& assignments);
// libvirt's domain XML by libxml2. What has no counterpart among the keys is a warning.
void read_xml(const SourceText& text, std::uint32_t source, Findings& findings,
              std::vector<Assignment>& assignments);

// Whether the text is UTF-8 without control characters other than tab and line ends; if not, a
// finding says where.
bool admit_characters(const SourceText& text, std::uint32_t source, Findings& findings);

}  // namespace xl::config
