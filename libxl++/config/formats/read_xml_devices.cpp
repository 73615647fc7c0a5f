// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/formats/libvirt.hpp"
#include "libxl++/config/formats/read_xml.hpp"

namespace xl::config::libvirt {
namespace {

std::string attribute_of(const XmlElement* element, std::string_view name) {
  const XmlAttribute* const attribute = element == nullptr ? nullptr : element->attribute(name);
  return attribute == nullptr ? std::string() : attribute->value;
}

bool hex_of(const XmlElement& address, std::string_view name, unsigned most, unsigned& value) {
  const XmlAttribute* const attribute = address.attribute(name);
  if (attribute == nullptr) return name == "domain";
  std::string_view text = attribute->value;
  if (text.starts_with("0x")) text.remove_prefix(2);
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc() && stop == text.data() + text.size() && value <= most;
}

}  // namespace

// libvirt adds <alias> and <address> by itself; they say nothing that xl would not choose.
void Reader::warn_children(const XmlElement& element,
                           std::initializer_list<std::string_view> known) {
  for (const XmlElement& child : element.children) {
    if (child.name == "alias" || child.name == "address") continue;
    if (std::find(known.begin(), known.end(), child.name) == known.end()) no_counterpart(child);
  }
}

std::optional<std::string> Reader::disk_spec(const XmlElement& element) {
  const std::string type = attribute_of(&element, "type");
  if (type != "file" && type != "block") {
    no_counterpart(element, fmt::format("a disk of type '{}'", printable(type)));
    return std::nullopt;
  }
  warn_children(element, {"driver", "source", "target", "readonly"});
  Disk disk;
  disk.vdev = attribute_of(element.child("target"), "dev");
  disk.target = attribute_of(element.child("source"), type == "file" ? "file" : "dev");
  disk.read_only = element.child("readonly") != nullptr;
  disk.cdrom = attribute_of(&element, "device") == "cdrom";
  const XmlElement* const driver = element.child("driver");
  if (const std::string format = attribute_of(driver, "type"); !format.empty())
    disk.format = format;
  const std::string backend = attribute_of(driver, "name");
  disk.backend = backend == "qemu" ? "qdisk" : backend;
  const std::string discard = attribute_of(driver, "discard");
  if (!discard.empty()) disk.discard = discard == "unmap" ? "discard" : "no-discard";
  if (disk.vdev.empty()) {
    findings_.error(element.span, "a disk needs <target dev='...'/>");
    return std::nullopt;
  }
  std::string spec = to_spec(disk);
  if (!disk_of(spec)) {
    findings_.error(element.span,
                    fmt::format("this disk cannot be written for xl: '{}'", printable(spec)),
                    "xl-disk-configuration(5) says what it may be");
    return std::nullopt;
  }
  return spec;
}

std::optional<std::string> Reader::vif_spec(const XmlElement& element) {
  const std::string type = attribute_of(&element, "type");
  if (type != "bridge" && type != "ethernet") {
    no_counterpart(element, fmt::format("an interface of type '{}'", printable(type)));
    return std::nullopt;
  }
  warn_children(element, {"mac", "source", "script", "target", "model", "ip"});
  Interface interface;
  interface.mac = attribute_of(element.child("mac"), "address");
  interface.bridge = attribute_of(element.child("source"), "bridge");
  interface.script = attribute_of(element.child("script"), "path");
  interface.vifname = attribute_of(element.child("target"), "dev");
  interface.model = attribute_of(element.child("model"), "type");
  interface.ip = attribute_of(element.child("ip"), "address");
  std::string spec = to_spec(interface);
  if (!interface_of(spec)) {
    findings_.error(element.span,
                    fmt::format("this interface cannot be written for xl: '{}'", printable(spec)),
                    "xl-network-configuration(5) says what it may be");
    return std::nullopt;
  }
  return spec;
}

std::optional<std::string> Reader::pci_spec(const XmlElement& element) {
  const XmlElement* const source = element.child("source");
  const XmlElement* const address = source == nullptr ? nullptr : source->child("address");
  if (attribute_of(&element, "type") != "pci" || address == nullptr) {
    no_counterpart(element, fmt::format("a host device of type '{}'",
                                        printable(attribute_of(&element, "type"))));
    return std::nullopt;
  }
  PciAddress pci;
  if (!hex_of(*address, "domain", 0xffff, pci.domain) || !hex_of(*address, "bus", 0xff, pci.bus) ||
      !hex_of(*address, "slot", 0x1f, pci.slot) || !hex_of(*address, "function", 7, pci.function)) {
    findings_.error(address->span, "this is not a PCI address",
                    "domain, bus, slot and function are hexadecimal, \"0x1f\"");
    return std::nullopt;
  }
  warn_children(element, {"source"});
  return to_spec(pci);
}

// A console and a balloon driver are there in any case.
void Reader::read_device(const XmlElement& device) {
  if (device.name == "console" || device.name == "serial" || device.name == "memballoon") return;
  if (device.name != "disk" && device.name != "interface" && device.name != "hostdev") {
    no_counterpart(device);
  }
}

void Reader::read_devices(const XmlElement& devices) {
  struct Kind {
    std::string_view element;
    std::string_view key;
    std::optional<std::string> (Reader::*spec)(const XmlElement&);
  };
  constexpr Kind kinds[] = {{"disk", "disk", &Reader::disk_spec},
                            {"interface", "vif", &Reader::vif_spec},
                            {"hostdev", "pci", &Reader::pci_spec}};
  for (const Kind& kind : kinds) {
    Value list{Value::Kind::list, devices.span, {}, {}};
    for (const XmlElement& device : devices.children) {
      if (device.name != kind.element || !device.namespace_uri.empty()) continue;
      if (list.items.empty()) list.span = device.span;
      if (std::optional<std::string> spec = (this->*kind.spec)(device)) {
        list.items.push_back({Value::Kind::string, device.span, std::move(*spec), {}});
      }
    }
    const Span span = list.span;
    if (!list.items.empty()) add(kind.key, std::move(list), span);
  }
  for (const XmlElement& device : devices.children) {
    if (device.namespace_uri.empty()) read_device(device);
  }
}

}  // namespace xl::config::libvirt
