// SPDX-License-Identifier: Apache-2.0
// What the reader and the writer of libvirt's domain XML share: how xl.cfg's keys and libvirt's
// elements correspond. xl.cfg(5) has the table for people.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace xl::config::libvirt {

// Elements whose text is a key's value, as it stands.
struct TextElement {
  std::string_view element;
  std::string_view key;
};
inline constexpr std::array domain_texts = {
    TextElement{"name", "name"},
    TextElement{"uuid", "uuid"},
    TextElement{"bootloader", "bootloader"},
    TextElement{"bootloader_args", "bootloader_args"},
};
inline constexpr std::array action_texts = {
    TextElement{"on_poweroff", "on_poweroff"},
    TextElement{"on_reboot", "on_reboot"},
    TextElement{"on_crash", "on_crash"},
};
inline constexpr std::array os_texts = {
    TextElement{"kernel", "kernel"},
    TextElement{"initrd", "ramdisk"},
    TextElement{"cmdline", "cmdline"},
};

// Where the keys stand that libvirt has no element for, in <metadata>:
//   <xl:config xmlns:xl="..." implied="type acpi">
//     <xl:set key="cap">50</xl:set>
//     <xl:set key="vif" type="list"><xl:item>...</xl:item></xl:set>
// `implied` names keys that libvirt needs an element for and that the config does not set.
inline constexpr std::string_view metadata_namespace = "urn:xlpp:xl.cfg:1";

// "0-3,^1": what libvirt takes for a set of CPUs, and xl too.
bool is_cpu_set(std::string_view text);

// The parts of a disk's spec string that libvirt's <disk> has.
struct Disk {
  std::string format = "raw";
  std::string vdev;
  bool read_only = false;
  bool cdrom = false;
  std::string backend;  // phy, qdisk, tap; empty: the toolstack chooses
  std::string discard;  // "discard", "no-discard" or empty
  std::string target;
};
// None: the string is wrong, or says more than that. to_spec of it means the same as the string.
std::optional<Disk> disk_of(const std::string& spec);
std::string to_spec(const Disk& disk);

struct Interface {
  std::string mac, bridge, script, vifname, model, ip;
};
std::optional<Interface> interface_of(const std::string& spec);
std::string to_spec(const Interface& interface);

// "0000:01:00.0", the domain and leading zeros perhaps left out.
struct PciAddress {
  unsigned domain = 0, bus = 0, slot = 0, function = 0;
};
std::optional<PciAddress> pci_of(const std::string& spec);
std::string to_spec(const PciAddress& address);

}  // namespace xl::config::libvirt
