// SPDX-License-Identifier: Apache-2.0
// What xl.conf(5) says where a domain's config says nothing, as stock xl fills it in. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "libxl++/config/devices/devices.hpp"
#include "libxl++/config/host_config.hpp"

namespace xl::config {

void fill_in(const HostConfig& host, Vif& vif);
void fill_in(const HostConfig& host, Devices& devices);
// A libxl_domain_config that `xl -N create` prints. What the domain's config set stays.
void fill_in(const HostConfig& host, nlohmann::ordered_json& libxl);

}  // namespace xl::config
