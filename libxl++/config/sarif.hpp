// SPDX-License-Identifier: Apache-2.0
// Findings as SARIF 2.1.0 (OASIS), which code hosts show on the line that they are about. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "libxl++/config/diagnostic.hpp"

namespace xl::config {

// One run about these files, in this order; the findings are about them.
nlohmann::ordered_json to_sarif(std::span<const std::string> files,
                                std::span<const Diagnostic> diagnostics, std::string_view version);

}  // namespace xl::config
