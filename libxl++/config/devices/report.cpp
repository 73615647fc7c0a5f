// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/report.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace xl::config {
namespace {

Span place_in(const Value& item, const SpecPlace& place) {
  // Quote marks and nothing else stand between the text and its source: octets correspond.
  const bool plain = item.span.length == item.text.size() + 2;
  if (!plain || place.length == 0) return item.span;
  return {item.span.source, item.span.offset + 1 + place.offset, place.length};
}

void report(const SpecFinding& finding, std::string_view key, const Value& item,
            Findings& findings) {
  const std::string message = fmt::format("'{}': {}", key, finding.message);
  if (finding.severity == Severity::error) {
    findings.error(Rule::device, place_in(item, finding.place), message, finding.hint);
  } else {
    findings.warning(Rule::device, place_in(item, finding.place), message, finding.hint);
  }
}

}  // namespace

void report_spec(std::span<const SpecFinding> found, std::string_view key, const Value& item,
                 Findings& findings) {
  for (const SpecFinding& finding : found) report(finding, key, item, findings);
}

void report_specs(std::span<const SpecFinding> found, std::string_view key, const Value& list,
                  Findings& findings) {
  for (const SpecFinding& finding : found) {
    const std::size_t word = finding.place.word;
    report(finding, key, word < list.items.size() ? list.items[word] : list, findings);
  }
}

std::vector<Diagnostic> describe_spec(std::span<const SpecFinding> found, std::string_view name,
                                      std::span<const std::string> words) {
  std::string text;  // the words on one line, as they were typed
  std::vector<std::uint32_t> starts;
  for (const std::string& word : words) {
    if (!starts.empty()) text += ' ';
    starts.push_back(static_cast<std::uint32_t>(text.size()));
    text += word;
  }
  const SourceText source(name, text);
  Findings findings({&source, 1});
  for (const SpecFinding& finding : found) {
    const SpecPlace& place = finding.place;
    Span span{0, 0, static_cast<std::uint32_t>(text.size())};
    if (place.word < words.size()) {
      const bool whole = place.length == 0;
      span.offset = starts[place.word] + place.offset;
      span.length = whole ? static_cast<std::uint32_t>(words[place.word].size()) - place.offset
                          : place.length;
    }
    if (finding.severity == Severity::error) {
      findings.error(Rule::device, span, finding.message, finding.hint);
    } else {
      findings.warning(Rule::device, span, finding.message, finding.hint);
    }
  }
  return std::move(findings).take();
}

}  // namespace xl::config
