// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/parse.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <iterator>
#include <utility>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/draft.hpp"
#include "libxl++/config/findings.hpp"
#include "libxl++/config/formats/format.hpp"
#include "libxl++/config/keys.hpp"
#include "libxl++/config/source_text.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {
namespace {

constexpr std::uint32_t file_source = 0;
constexpr std::uint32_t override_source = 1;

// For each key, which of the assignments holds; none if the key was not assigned.
using Effective = std::array<Assignment*, key_count>;

std::size_t total_size(std::span<const std::string> overrides) {
  std::size_t size = 0;
  for (const std::string& argument : overrides) size += argument.size() + 1;
  return size;
}

std::string join_lines(std::span<const std::string> overrides) {
  std::string text;
  text.reserve(total_size(overrides));
  for (const std::string& argument : overrides) (text += argument) += '\n';
  return text;
}

// Gives `later`, which has +=, the value of `earlier` with its own behind. `earlier` loses it, so
// that a long chain of += costs no more than its result.
bool append_to(Assignment& earlier, Assignment& later, Findings& findings) {
  const bool was_list = earlier.value.kind == Value::Kind::list;
  const bool is_list = later.value.kind == Value::Kind::list;
  if (was_list != is_list) {
    findings.error(later.value.span,
                   fmt::format("'{}' is a {} so far; '+=' cannot add a {} to it", later.key,
                               was_list ? "list" : "string", is_list ? "list" : "string"));
    return false;
  }
  earlier.value.text += later.value.text;
  std::move(later.value.items.begin(), later.value.items.end(),
            std::back_inserter(earlier.value.items));
  later.value.text = std::move(earlier.value.text);
  later.value.items = std::move(earlier.value.items);
  return true;
}

void refuse_key(const Assignment& assignment, bool known, Findings& findings) {
  const std::string key = printable(assignment.key);
  if (known) {
    findings.error(assignment.key_span, fmt::format("'{}' is not supported yet", key));
    return;
  }
  const std::string_view near = nearest_key(assignment.key);
  findings.error(assignment.key_span, fmt::format("'{}' is not supported: unknown key", key),
                 near.empty() ? "" : fmt::format("did you mean '{}'?", near));
}

Effective find_effective(std::vector<Assignment>& assignments, Findings& findings) {
  Effective effective{};
  for (Assignment& assignment : assignments) {
    if (findings.full()) break;
    const std::optional<std::size_t> index = find_key(assignment.key);
    if (!index || keys()[*index].handler == nullptr) {
      refuse_key(assignment, index.has_value(), findings);
      continue;
    }
    Assignment*& holder = effective[*index];
    if (assignment.append && holder != nullptr && !append_to(*holder, assignment, findings))
      continue;
    holder = &assignment;
  }
  return effective;
}

void require(std::string_view key, const char* hint, const Effective& effective,
             Findings& findings) {
  if (effective[*find_key(key)] == nullptr) {
    findings.error_in(file_source, fmt::format("'{}' is missing", key), hint);
  }
}

DomainConfig evaluate(std::vector<Assignment>& assignments, Findings& findings) {
  // Behind a syntax error a key may only seem to be missing.
  const bool complete = !findings.has_errors();
  const Effective effective = find_effective(assignments, findings);
  Draft draft(findings);
  for (std::size_t index = 0; index < key_count; ++index) {
    if (effective[index] != nullptr) keys()[index].handler(*effective[index], draft);
  }
  finish(draft);
  if (complete) {
    require("name", "add name=\"...\"", effective, findings);
    require("kernel", "add kernel=\"PATH\" of a kernel image", effective, findings);
  }
  return std::move(draft.config);
}

}  // namespace

Parsed parse_domain_config(const Source& file, std::span<const std::string> overrides) {
  const std::size_t override_size = total_size(overrides);
  const std::string lines = override_size > max_source_size ? "" : join_lines(overrides);
  const std::array sources = {SourceText(file.name, file.text),
                              SourceText(command_line_source, lines)};
  Findings findings(sources);
  std::vector<Assignment> assignments;
  if (admit_source(file.text.size(), sources[file_source], file_source, findings)) {
    const Format format = guess_format(file.name, sources[file_source].text());
    read_document(format, sources[file_source], file_source, findings, assignments);
  }
  if (admit_source(override_size, sources[override_source], override_source, findings)) {
    parse_assignments(sources[override_source], override_source, Dialect::overrides, findings,
                      assignments);
  }
  DomainConfig config = evaluate(assignments, findings);
  Parsed parsed;
  if (!findings.has_errors()) parsed.config = std::move(config);
  parsed.diagnostics = std::move(findings).take();
  return parsed;
}

}  // namespace xl::config
