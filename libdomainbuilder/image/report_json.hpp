// SPDX-License-Identifier: Apache-2.0
// ImageReport as JSON, the form that `xl inspect --json` and the API give. Keys are snake_case;
// addresses and sizes are numbers; enumerations their to_string().
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "libdomainbuilder/image/image_report.hpp"

namespace xl::build {

void to_json(nlohmann::json& json, const ImageReport& report);

}  // namespace xl::build
