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
#include "libxl++/config/devices/vsnd.hpp"
#include "libxl++/config/devices/vtpm.hpp"

namespace xl::config {

// Of the domain, what it has by default but was asked for as well: libxl's JSON has it only then.
struct Said {
  bool hap = false;
  bool acpi = false;
  bool weight = false;
  bool cap = false;
  // The vcpus were placed by hand (cpus= as a list, cpus_soft=): libxl does not place them then.
  bool no_numa_placement = false;

  bool operator==(const Said&) const = default;
};

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
  std::vector<Vsnd> sound_cards = {};
  std::vector<Channel> channels = {};
  std::vector<UsbController> usb_controllers = {};
  std::vector<UsbDevice> usb_devices = {};
  Said said = {};

  bool operator==(const Devices&) const = default;
  bool any() const;  // whether there is a device
};

inline bool Devices::any() const {
  Devices none;
  none.said = said;
  return *this != none;
}

}  // namespace xl::config
