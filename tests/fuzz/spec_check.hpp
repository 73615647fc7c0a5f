// SPDX-License-Identifier: Apache-2.0
// What holds of each parsed device specification, whatever the input was: there is a value or an
// error, findings stand within their word and say something printable, and the value has a JSON.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "libxl++/config/devices/libxl_json.hpp"
#include "libxl++/config/devices/report.hpp"

namespace xl::config {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline bool is_printable(const std::string& text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

template <typename Device>
void check_spec(const ParsedSpec<Device>& parsed, std::span<const std::string> words) {
  bool errors = false;
  for (const SpecFinding& finding : parsed.findings) {
    errors = errors || finding.severity == Severity::error;
    require(!finding.message.empty() && is_printable(finding.message));
    require(is_printable(finding.hint));
    require(words.empty() || finding.place.word < words.size());
    if (!words.empty()) {
      const std::size_t end = std::size_t{finding.place.offset} + finding.place.length;
      require(end <= words[finding.place.word].size());
    }
  }
  require(errors != parsed.value.has_value());
  require(render(describe_spec(parsed.findings, "fuzz", words)).empty() == parsed.findings.empty());
  if (parsed.value) {
    (void)to_libxl_json(*parsed.value)
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

}  // namespace xl::config
