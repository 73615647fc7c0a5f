// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/parse.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "libxl++/config/evaluate.hpp"
#include "libxl++/config/findings.hpp"
#include "libxl++/config/formats/format.hpp"
#include "libxl++/config/source_text.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {
namespace {

constexpr std::uint32_t file_source = 0;
constexpr std::uint32_t override_source = 1;

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

}  // namespace

Parsed parse_domain_config(const Source& file, std::span<const std::string> overrides,
                           const ParseOptions& options) {
  const std::size_t override_size = total_size(overrides);
  const std::string lines = override_size > max_source_size ? "" : join_lines(overrides);
  const std::array sources = {SourceText(file.name, file.text),
                              SourceText(command_line_source, lines)};
  Findings findings(sources);
  findings.begin(Rule::syntax);
  std::vector<Assignment> assignments;
  if (admit_source(file.text.size(), sources[file_source], file_source, findings)) {
    const Format format = guess_format(file.name, sources[file_source].text());
    read_document(format, sources[file_source], file_source, findings, assignments);
  }
  if (admit_source(override_size, sources[override_source], override_source, findings)) {
    parse_assignments(sources[override_source], override_source, Dialect::overrides, findings,
                      assignments);
  }
  findings.begin(Rule::value);
  Evaluated evaluated = evaluate(assignments, file_source, options, findings);
  Parsed parsed;
  if (!findings.has_errors()) {
    parsed.config = std::move(evaluated.config);
    parsed.devices = std::make_shared<const Devices>(std::move(evaluated.devices));
  }
  parsed.diagnostics = std::move(findings).take();
  return parsed;
}

}  // namespace xl::config
