// SPDX-License-Identifier: Apache-2.0
// Spec strings as far as libvirt has elements for them. What xl's own parsers see in the string
// decides: if the part that libvirt knows says all of it, an element can stand for it.
#include <fmt/format.h>

#include <charconv>

#include "libxl++/config/devices/disk.hpp"
#include "libxl++/config/devices/vif.hpp"
#include "libxl++/config/formats/libvirt.hpp"

namespace xl::config::libvirt {
namespace {

bool is_hex(std::string_view text, unsigned& value, std::size_t most) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc() && stop == text.data() + text.size() && text.size() <= most;
}

}  // namespace

bool is_cpu_set(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789,^-") == std::string_view::npos;
}

std::optional<Disk> disk_of(const std::string& spec) {
  const ParsedSpec<config::Disk> parsed = config::parse_disk(spec);
  if (!parsed.value || !parsed.findings.empty() || !parsed.value->target) return std::nullopt;
  const config::Disk& known = *parsed.value;
  Disk disk;
  disk.format = name_of(disk_formats, known.format);
  disk.vdev = known.vdev;
  disk.read_only = !known.read_write;
  disk.cdrom = known.cdrom;
  disk.backend = name_of(disk_backends, known.backend_type);
  if (known.discard) disk.discard = *known.discard ? "discard" : "no-discard";
  disk.target = *known.target;
  return config::parse_disk(to_spec(disk)).value == parsed.value ? std::optional(disk)
                                                                 : std::nullopt;
}

std::string to_spec(const Disk& disk) {
  std::string spec = fmt::format("format={},vdev={},access={}", disk.format, disk.vdev,
                                 disk.read_only ? "ro" : "rw");
  if (disk.cdrom) spec += ",devtype=cdrom";
  if (!disk.backend.empty()) spec += ",backendtype=" + disk.backend;
  if (!disk.discard.empty()) spec += "," + disk.discard;
  return spec + ",target=" + disk.target;
}

std::optional<Interface> interface_of(const std::string& spec) {
  const ParsedSpec<Vif> parsed = parse_vif(spec);
  if (!parsed.value || !parsed.findings.empty()) return std::nullopt;
  const Vif& known = *parsed.value;
  const Interface interface {
    known.mac ? to_string(*known.mac) : "", known.bridge, known.script, known.name, known.model,
        known.ip
  };
  return parse_vif(to_spec(interface)).value == parsed.value ? std::optional(interface)
                                                             : std::nullopt;
}

std::string to_spec(const Interface& interface) {
  std::string spec;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) spec += fmt::format("{}{}={}", spec.empty() ? "" : ",", name, value);
  };
  add("mac", interface.mac);
  add("bridge", interface.bridge);
  add("script", interface.script);
  add("vifname", interface.vifname);
  add("model", interface.model);
  add("ip", interface.ip);
  return spec;
}

std::optional<PciAddress> pci_of(const std::string& text) {
  const std::string_view spec = text;
  PciAddress address;
  const std::size_t dot = spec.rfind('.');
  const std::size_t colon = spec.rfind(':', dot);
  if (dot == std::string_view::npos || colon == std::string_view::npos) return std::nullopt;
  std::string_view head = spec.substr(0, colon);
  const std::size_t first = head.find(':');
  if (first != std::string_view::npos) {
    if (!is_hex(head.substr(0, first), address.domain, 4)) return std::nullopt;
    head.remove_prefix(first + 1);
  }
  const bool fine = is_hex(head, address.bus, 2) && address.bus <= 0xff &&
                    is_hex(spec.substr(colon + 1, dot - colon - 1), address.slot, 2) &&
                    address.slot <= 0x1f && is_hex(spec.substr(dot + 1), address.function, 1) &&
                    address.function <= 7;
  return fine ? std::optional(address) : std::nullopt;
}

std::string to_spec(const PciAddress& address) {
  return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", address.domain, address.bus, address.slot,
                     address.function);
}

}  // namespace xl::config::libvirt
