// SPDX-License-Identifier: Apache-2.0
// A config file on the wire: {"name", "text" or "text_base64"}. For the api's own .cpp files.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "libxl++/api/wire.hpp"

namespace xl::api {

nlohmann::json config_file_json(const ConfigFile& file);
Result<ConfigFile> config_file_of(const nlohmann::json& json);

}  // namespace xl::api
