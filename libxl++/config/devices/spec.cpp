// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "libxl++/config/characters.hpp"

namespace xl::config {

void SpecFindings::error(SpecPlace place, std::string message, std::string hint) {
  findings_.push_back({Severity::error, place, std::move(message), std::move(hint)});
  has_errors_ = true;
}

void SpecFindings::warning(SpecPlace place, std::string message, std::string hint) {
  findings_.push_back({Severity::warning, place, std::move(message), std::move(hint)});
}

void SpecFindings::take(SpecFindings&& of_word, std::uint32_t word) {
  for (SpecFinding& finding : of_word.findings_) {
    finding.place.word = word;
    findings_.push_back(std::move(finding));
  }
  has_errors_ = has_errors_ || of_word.has_errors_;
}

Piece Piece::whole(std::string_view word, std::uint32_t number) {
  return {word, {number, 0, static_cast<std::uint32_t>(word.size())}};
}

Piece Piece::part(std::size_t offset, std::size_t length) const {
  const std::string_view cut = text.substr(offset, length);
  return {cut,
          {place.word, place.offset + static_cast<std::uint32_t>(offset),
           static_cast<std::uint32_t>(cut.size())}};
}

Piece Piece::trimmed() const {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return part(text.size());
  return part(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool check_characters(const Piece& word, SpecFindings& findings) {
  const auto wrong = std::find_if(word.text.begin(), word.text.end(),
                                  [](char c) { return is_control(c) && c != '\t'; });
  if (wrong == word.text.end()) return true;
  findings.error(word.part(static_cast<std::size_t>(wrong - word.text.begin()), 1).place,
                 fmt::format("control character {}", escape_octet(*wrong)), "remove it");
  return false;
}

}  // namespace xl::config
