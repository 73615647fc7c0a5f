// SPDX-License-Identifier: Apache-2.0
// disk=, vif= and the other devices: lists of specifications, each with a grammar of its own.
#include "libxl++/config/handlers_devices.hpp"

#include <fmt/format.h>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/handlers.hpp"

namespace xl::config {
namespace {

bool same_function(const PciAddress& a, const PciAddress& b) {
  return a.domain == b.domain && a.bus == b.bus && a.device == b.device &&
         (a.function == b.function || a.all_functions || b.all_functions);
}

}  // namespace

void set_disk(const Assignment& assignment, Draft& draft) {
  std::vector<Disk>& disks = draft.devices.disks;
  read_devices<Disk>(
      assignment, draft, &parse_disk, disks, [&](const Disk& disk, const Value& item) {
        refuse_twin(
            disks, [&](const Disk& other) { return other.device.number == disk.device.number; },
            item, fmt::format("'disk': '{}' is another disk's name", disk.vdev),
            "give each disk a vdev of its own", draft);
      });
}

void set_vif(const Assignment& assignment, Draft& draft) {
  std::vector<Vif>& vifs = draft.devices.vifs;
  read_devices<Vif>(assignment, draft, &parse_vif, vifs, [&](Vif& vif, const Value& item) {
    refuse_twin(
        vifs, [&](const Vif& other) { return vif.mac && other.mac == vif.mac; }, item,
        "'vif': two interfaces have the same MAC address",
        "give each a mac of its own, or none: then one is made up", draft);
    // As xl numbers those that have no number.
    if (!vif.devid) vif.devid = static_cast<std::uint32_t>(vifs.size());
    refuse_twin(
        vifs, [&](const Vif& other) { return other.devid == vif.devid; }, item,
        fmt::format("'vif': two interfaces have the devid {}", *vif.devid),
        "those without devid are numbered from 0: give each one or none", draft);
  });
}

void set_channel(const Assignment& assignment, Draft& draft) {
  std::vector<Channel>& channels = draft.devices.channels;
  read_devices(
      assignment, draft, &parse_channel, channels, [&](const Channel& channel, const Value& item) {
        refuse_twin(
            channels, [&](const Channel& other) { return other.name == channel.name; }, item,
            fmt::format("'channel': '{}' is another channel's name", printable(channel.name)),
            "the guest finds a channel by its name: give each its own", draft);
      });
}

void set_p9(const Assignment& assignment, Draft& draft) {
  std::vector<P9>& shares = draft.devices.p9s;
  read_devices(assignment, draft, &parse_p9, shares, [&](const P9& share, const Value& item) {
    refuse_twin(
        shares, [&](const P9& other) { return other.tag == share.tag; }, item,
        fmt::format("'p9': '{}' is another share's tag", printable(share.tag)),
        "the guest mounts a share by its tag: give each its own", draft);
  });
}

void set_pci(const Assignment& assignment, Draft& draft) {
  std::vector<Pci>& pcis = draft.devices.pcis;
  draft.asks_for_pci = !assignment.value.items.empty();
  read_devices(assignment, draft, &parse_pci, pcis, [&](const Pci& pci, const Value& item) {
    const auto same = [&](const Pci& other) {
      return pci.address && other.address ? same_function(*pci.address, *other.address)
                                          : !pci.name.empty() && other.name == pci.name;
    };
    refuse_twin(pcis, same, item, "'pci': the device stands here twice", "keep one of the two",
                draft);
  });
}

void set_usbdev(const Assignment& assignment, Draft& draft) {
  std::vector<UsbDevice>& devices = draft.devices.usb_devices;
  read_devices(
      assignment, draft, &parse_usb_device, devices, [&](const UsbDevice& usb, const Value& item) {
        refuse_twin(
            devices,
            [&](const UsbDevice& other) {
              return other.host_bus == usb.host_bus && other.host_address == usb.host_address;
            },
            item, "'usbdev': the device stands here twice", "keep one of the two", draft);
        refuse_twin(
            devices,
            [&](const UsbDevice& other) {
              return usb.port != 0 && other.port == usb.port && other.controller == usb.controller;
            },
            item, "'usbdev': two devices are in the same port of a controller",
            "give each a port of its own, or none: then one is found", draft);
      });
}

void set_vsnd(const Assignment& assignment, Draft& draft) {
  for (const Value& card : assignment.value.items) {
    std::vector<std::string> items;
    for (const Value& item : card.items) items.push_back(item.text);
    ParsedSpec<Vsnd> parsed = parse_vsnd(items);
    report_specs(parsed.findings, assignment.key, card, draft.findings);
    if (parsed.value) draft.devices.sound_cards.push_back(std::move(*parsed.value));
  }
}

void finish_devices(Draft& draft) {
  Devices& devices = draft.devices;
  const Pci& defaults = draft.pci_defaults;
  for (Pci& pci : devices.pcis) {
    for (const auto member :
         {&Pci::msi_translate, &Pci::power_management, &Pci::permissive, &Pci::seize}) {
      if (!(pci.*member)) pci.*member = defaults.*member;
    }
    // What xl makes of it for a PVH domain, whatever rdm= says.
    if (pci.rdm_policy == RdmPolicy::unset) pci.rdm_policy = RdmPolicy::strict;
  }
  // As xl has it, each framebuffer comes with a keyboard, before those of vkb=.
  devices.vkbs.insert(devices.vkbs.begin(), devices.vfbs.size(), Vkb());
}

void check_rdm(const Assignment& assignment, Draft& draft) {
  report_spec(parse_rdm(assignment.value.text).findings, assignment.key, assignment.value,
              draft.findings);
}

}  // namespace xl::config
