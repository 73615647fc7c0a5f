// SPDX-License-Identifier: Apache-2.0
// The member "scheduling" of a config's JSON: {"weight":256,"cap":0,"cpus":["0-1","all"],
// "cpus_soft":[]}, each of them optional.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "libxl++/config/domain_config.hpp"

namespace xl::config {

nlohmann::json to_json(const Scheduling& scheduling);
Result<Scheduling> scheduling_from_json(const nlohmann::json& json);  // invalid_config

}  // namespace xl::config
