// SPDX-License-Identifier: Apache-2.0
// Devices: all that a config asks for beside the domain itself. A plain value, without locks.
#pragma once

#include <vector>

#include "libxl++/config/devices/disk.hpp"
#include "libxl++/config/devices/vif.hpp"

namespace xl::config {

// In the order of the config, which is that of libxl's devids.
struct Devices {
  std::vector<Disk> disks = {};
  std::vector<Vif> vifs = {};

  bool operator==(const Devices&) const = default;
};

}  // namespace xl::config
