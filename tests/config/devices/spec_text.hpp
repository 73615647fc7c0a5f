// SPDX-License-Identifier: Apache-2.0
// A parsed specification as text, for comparing: its findings as a terminal shows them, and its
// libxl JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "libxl++/config/devices/libxl_json.hpp"
#include "libxl++/config/devices/report.hpp"

namespace xl::config {

template <typename T>
std::string spec_text(const ParsedSpec<T>& parsed, const std::string& spec) {
  std::string text = render(describe_spec(parsed.findings, "spec", {&spec, 1}));
  if (parsed.value) text += to_libxl_json(*parsed.value).dump() + "\n";
  return text;
}

}  // namespace xl::config
