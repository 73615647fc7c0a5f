// SPDX-License-Identifier: Apache-2.0
// Devices: all that a config asks for beside the domain itself. A plain value, without locks.
#pragma once

#include <vector>

#include "libxl++/config/devices/channel.hpp"
#include "libxl++/config/devices/disk.hpp"
#include "libxl++/config/devices/p9.hpp"
#include "libxl++/config/devices/pci.hpp"
#include "libxl++/config/devices/usb.hpp"
#include "libxl++/config/devices/vdispl.hpp"
#include "libxl++/config/devices/vfb.hpp"
#include "libxl++/config/devices/vif.hpp"
#include "libxl++/config/devices/vkb.hpp"
#include "libxl++/config/devices/vtpm.hpp"

namespace xl::config {

// In the order of the config, which is that of libxl's devids.
struct Devices {
  std::vector<Disk> disks = {};
  std::vector<Vif> vifs = {};
  std::vector<Pci> pcis = {};
  std::vector<Vfb> vfbs = {};
  std::vector<Vkb> vkbs = {};
  std::vector<Vtpm> vtpms = {};
  std::vector<P9> p9s = {};
  std::vector<Pvcalls> pvcalls = {};
  std::vector<Vdispl> displays = {};
  std::vector<Channel> channels = {};
  std::vector<UsbController> usb_controllers = {};
  std::vector<UsbDevice> usb_devices = {};

  bool operator==(const Devices&) const = default;
};

}  // namespace xl::config
