// SPDX-License-Identifier: Apache-2.0
// An image report (the JSON that xld gives) as text for a person. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace xl::cli {

Result<std::string> image_text(std::string_view json);
Result<std::string> image_json(std::string_view json);  // the same JSON, indented

}  // namespace xl::cli
