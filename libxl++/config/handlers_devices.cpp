// SPDX-License-Identifier: Apache-2.0
// disk=, vif= and the other devices: lists of specifications, each with a grammar of its own.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libxl++/config/devices/report.hpp"
#include "libxl++/config/handlers.hpp"

namespace xl::config {
namespace {

// `admit` looks at a device, before those behind it are read, and may change it.
template <typename Device, typename Admit>
void read_devices(const Assignment& assignment, Draft& draft,
                  ParsedSpec<Device> (*parse)(const std::string& spec),
                  std::vector<Device>& devices, Admit admit) {
  for (const Value& item : assignment.value.items) {
    ParsedSpec<Device> parsed = parse(item.text);
    report_spec(parsed.findings, assignment.key, item, draft.findings);
    if (!parsed.value) continue;
    admit(*parsed.value, item);
    devices.push_back(std::move(*parsed.value));
  }
}

template <typename Device>
void take(const Device&, const Value&) {}

}  // namespace

void set_disk(const Assignment& assignment, Draft& draft) {
  std::vector<Disk>& disks = draft.devices.disks;
  read_devices<Disk>(
      assignment, draft, &parse_disk, disks, [&](const Disk& disk, const Value& item) {
        const bool taken = std::any_of(disks.begin(), disks.end(), [&](const Disk& other) {
          return other.device.number == disk.device.number;
        });
        if (taken) {
          draft.findings.error(item.span,
                               fmt::format("'disk': '{}' is another disk's name", disk.vdev),
                               "give each disk a vdev of its own");
        }
      });
}

void set_vif(const Assignment& assignment, Draft& draft) {
  std::vector<Vif>& vifs = draft.devices.vifs;
  read_devices<Vif>(assignment, draft, &parse_vif, vifs, [&](Vif& vif, const Value& item) {
    const bool taken = vif.mac && std::any_of(vifs.begin(), vifs.end(), [&](const Vif& other) {
                         return other.mac == vif.mac;
                       });
    if (taken) {
      draft.findings.error(item.span, "'vif': two interfaces have the same MAC address",
                           "give each a mac of its own, or none: then one is made up");
    }
    vif.devid = static_cast<std::uint32_t>(vifs.size());  // as xl numbers them
  });
}

void set_channel(const Assignment& assignment, Draft& draft) {
  read_devices(assignment, draft, &parse_channel, draft.devices.channels, take<Channel>);
}

void set_p9(const Assignment& assignment, Draft& draft) {
  read_devices(assignment, draft, &parse_p9, draft.devices.p9s, take<P9>);
}

void set_pci(const Assignment& assignment, Draft& draft) {
  read_devices(assignment, draft, &parse_pci, draft.devices.pcis, take<Pci>);
}

void set_pvcalls(const Assignment& assignment, Draft& draft) {
  read_devices(assignment, draft, &parse_pvcalls, draft.devices.pvcalls, take<Pvcalls>);
}

void set_usbctrl(const Assignment& assignment, Draft& draft) {
  read_devices(assignment, draft, &parse_usb_controller, draft.devices.usb_controllers,
               take<UsbController>);
}

void set_usbdev(const Assignment& assignment, Draft& draft) {
  read_devices(assignment, draft, &parse_usb_device, draft.devices.usb_devices, take<UsbDevice>);
}

void set_vdispl(const Assignment& assignment, Draft& draft) {
  read_devices(assignment, draft, &parse_vdispl, draft.devices.displays, take<Vdispl>);
}

void set_vfb(const Assignment& assignment, Draft& draft) {
  read_devices(assignment, draft, &parse_vfb, draft.devices.vfbs, take<Vfb>);
}

void set_vkb(const Assignment& assignment, Draft& draft) {
  read_devices(assignment, draft, &parse_vkb, draft.devices.vkbs, take<Vkb>);
}

void set_vtpm(const Assignment& assignment, Draft& draft) {
  read_devices(assignment, draft, &parse_vtpm, draft.devices.vtpms, take<Vtpm>);
}

void check_rdm(const Assignment& assignment, Draft& draft) {
  report_spec(parse_rdm(assignment.value.text).findings, assignment.key, assignment.value,
              draft.findings);
}

}  // namespace xl::config
