// SPDX-License-Identifier: Apache-2.0
// Devices in the form of libxl 4.17's libxl_device_*_to_json, which stock `xl -N block-attach` and
// `xl -N create` print: libxl's field names in libxl's order, what is at its default left out.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "libxl++/config/devices/disk.hpp"
#include "libxl++/config/devices/vif.hpp"

namespace xl::config {

nlohmann::ordered_json to_libxl_json(const Disk& disk);
nlohmann::ordered_json to_libxl_json(const Vif& vif);

}  // namespace xl::config
