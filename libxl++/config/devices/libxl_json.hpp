// SPDX-License-Identifier: Apache-2.0
// Devices in the form of libxl 4.17's libxl_device_*_to_json, which stock `xl -N block-attach` and
// `xl -N create` print: libxl's field names in libxl's order, what is at its default left out.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>

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

// What xl numbers the devices of a config by, from 0 for each kind; none: libxl chooses.
using Devid = std::optional<std::uint32_t>;

nlohmann::ordered_json to_libxl_json(const Disk& disk);
nlohmann::ordered_json to_libxl_json(const Vif& vif, Devid devid = {});  // unless the vif has one
nlohmann::ordered_json to_libxl_json(const Channel& channel, Devid devid = {});
nlohmann::ordered_json to_libxl_json(const P9& p9);
nlohmann::ordered_json to_libxl_json(const Pvcalls& pvcalls, Devid devid = {});
nlohmann::ordered_json to_libxl_json(const Pci& pci);
nlohmann::ordered_json to_libxl_json(const Rdm& rdm);
nlohmann::ordered_json to_libxl_json(const UsbController& controller, Devid devid = {});
nlohmann::ordered_json to_libxl_json(const UsbDevice& device);
nlohmann::ordered_json to_libxl_json(const Vtpm& vtpm, Devid devid = {});
nlohmann::ordered_json to_libxl_json(const Vkb& vkb, Devid devid = {});
nlohmann::ordered_json to_libxl_json(const Vdispl& display, Devid devid = {});
nlohmann::ordered_json to_libxl_json(const Vsnd& card, Devid devid = {});
nlohmann::ordered_json to_libxl_json(const Vfb& vfb, Devid devid = {});

}  // namespace xl::config
