// SPDX-License-Identifier: Apache-2.0
// Assignments to libvirt's domain XML. A key becomes an element where reading that element gives
// the same value again; all others go into <metadata>.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/domain_config.hpp"
#include "libxl++/config/formats/document.hpp"
#include "libxl++/config/formats/libvirt.hpp"
#include "libxl++/config/formats/writers.hpp"
#include "libxl++/config/formats/xml_text.hpp"

namespace xl::config::libvirt {
namespace {

class Writer {
 public:
  explicit Writer(std::span<const Assignment> assignments) : assignments_(assignments) {
    for (const Assignment& assignment : assignments) values_[assignment.key] = &assignment.value;
  }
  std::string write();

 private:
  // The key's value, unless it has to go into <metadata>.
  const Value* find(std::string_view key) const {
    const auto at = values_.find(key);
    return at == values_.end() ? nullptr : at->second;
  }
  const Value* atom(std::string_view key) const {
    const Value* const value = find(key);
    return value != nullptr && value->kind != Value::Kind::list ? value : nullptr;
  }
  const Value* natural(std::string_view key) const {
    const Value* const value = atom(key);
    const bool plain =
        value != nullptr && is_plain_integer(value->text) && !value->text.starts_with('-');
    return plain ? value : nullptr;
  }
  const std::string& take(std::string_view key) {
    written_.insert(key);
    return values_.find(key)->second->text;
  }
  void add_text(std::string_view element, std::string_view key);
  void add_texts(std::span<const TextElement> texts);
  void add_memory();
  void add_vcpus();
  void add_pins();
  void add_os();
  void add_features();
  void add_devices();
  template <typename Parse, typename Print>
  std::string devices_of(std::string_view key, Parse parse, Print print);
  void add_metadata();

  std::span<const Assignment> assignments_;
  std::map<std::string_view, const Value*> values_;
  std::set<std::string_view> written_;
  std::string implied_;
  std::string out_;
};

constexpr std::array libvirt_actions = {
    std::string_view("destroy"),          std::string_view("restart"),
    std::string_view("preserve"),         std::string_view("rename-restart"),
    std::string_view("coredump-destroy"), std::string_view("coredump-restart")};

bool libvirt_knows(std::string_view key, std::string_view text) {
  if (!key.starts_with("on_")) return true;
  const std::size_t count = key == "on_crash" ? 6 : 4;
  return std::find(libvirt_actions.begin(), libvirt_actions.begin() + count, text) !=
         libvirt_actions.begin() + count;
}

void Writer::add_text(std::string_view element, std::string_view key) {
  const Value* const value = atom(key);
  if (value == nullptr || !libvirt_knows(key, value->text)) return;
  out_ += fmt::format("  <{0}>{1}</{0}>\n", element, xml_text(take(key)));
}

void Writer::add_texts(std::span<const TextElement> texts) {
  for (const TextElement& one : texts) add_text(one.element, one.key);
}

void Writer::add_memory() {
  const Value* const memory = natural("memory");
  if (memory == nullptr) return;
  const bool both = natural("maxmem") != nullptr;
  out_ += fmt::format("  <memory unit='MiB'>{}</memory>\n", take(both ? "maxmem" : "memory"));
  if (both) out_ += fmt::format("  <currentMemory unit='MiB'>{}</currentMemory>\n", take("memory"));
}

void Writer::add_vcpus() {
  const Value* const vcpus = natural("vcpus");
  if (vcpus == nullptr) return;
  const bool both = natural("maxvcpus") != nullptr;
  const std::string most = take(both ? "maxvcpus" : "vcpus");
  out_ += "  <vcpu placement='static'";
  const Value* const cpus = atom("cpus");
  if (cpus != nullptr && is_cpu_set(cpus->text)) {
    out_ += fmt::format(" cpuset='{}'", take("cpus"));
  }
  if (both) out_ += fmt::format(" current='{}'", take("vcpus"));
  out_ += fmt::format(">{}</vcpu>\n", most);
}

void Writer::add_pins() {
  std::string inner;
  const Value* const cpus = find("cpus");
  const auto is_pin = [](const Value& item) {
    return item.kind != Value::Kind::list && is_cpu_set(item.text);
  };
  if (cpus != nullptr && cpus->kind == Value::Kind::list && !cpus->items.empty() &&
      cpus->items.size() <= max_vcpu_count &&
      std::all_of(cpus->items.begin(), cpus->items.end(), is_pin)) {
    written_.insert("cpus");
    for (std::size_t index = 0; index < cpus->items.size(); ++index) {
      inner +=
          fmt::format("    <vcpupin vcpu='{}' cpuset='{}'/>\n", index, cpus->items[index].text);
    }
  }
  if (natural("cpu_weight") != nullptr) {
    inner += fmt::format("    <shares>{}</shares>\n", take("cpu_weight"));
  }
  if (!inner.empty()) out_ += "  <cputune>\n" + inner + "  </cputune>\n";
}

// libvirt has no domain without a type; where the config says none, ours says that it was implied.
void Writer::add_os() {
  const Value* const type = atom("type");
  std::string line = "    <type arch='x86_64' machine='xenpvh'>xenpvh</type>\n";
  if (find("type") == nullptr) {
    implied_ += " type";
  } else if (type != nullptr &&
             (type->text == "pvh" || type->text == "pv" || type->text == "hvm")) {
    if (take("type") == "pv") line = "    <type arch='x86_64' machine='xenpv'>linux</type>\n";
    if (type->text == "hvm") line = "    <type arch='x86_64' machine='xenfv'>hvm</type>\n";
  } else {
    line.clear();
  }
  out_ += "  <os>\n" + line;
  for (const TextElement& one : os_texts) {
    if (atom(one.key) != nullptr) out_ += "  ";
    add_text(one.element, one.key);
  }
  out_ += "  </os>\n";
}

void Writer::add_features() {
  std::string inner;
  const Value* const acpi = atom("acpi");
  if (find("acpi") == nullptr) {
    inner = "    <acpi/>\n";
    implied_ += " acpi";
  } else if (acpi != nullptr && (acpi->text == "0" || acpi->text == "1")) {
    if (take("acpi") == "1") inner = "    <acpi/>\n";
  }
  const Value* const hap = atom("hap");
  if (hap != nullptr && (hap->text == "0" || hap->text == "1")) {
    inner += fmt::format("    <hap state='{}'/>\n", take("hap") == "1" ? "on" : "off");
  }
  if (!inner.empty()) out_ += "  <features>\n" + inner + "  </features>\n";
  const Value* const local = atom("localtime");
  if (local != nullptr && local->text == "1") {
    take("localtime");
    out_ += "  <clock offset='localtime'/>\n";
  }
}

std::string print_disk(const Disk& disk) {
  const bool block = disk.target.starts_with("/dev/");
  std::string out = fmt::format("    <disk type='{}' device='{}'>\n      <driver",
                                block ? "block" : "file", disk.cdrom ? "cdrom" : "disk");
  if (!disk.backend.empty()) {
    out +=
        fmt::format(" name='{}'", xml_attribute(disk.backend == "qdisk" ? "qemu" : disk.backend));
  }
  out += fmt::format(" type='{}'", xml_attribute(disk.format));
  if (!disk.discard.empty()) {
    out += disk.discard == "discard" ? " discard='unmap'" : " discard='ignore'";
  }
  out += "/>\n";
  if (!disk.target.empty()) {
    out += fmt::format("      <source {}='{}'/>\n", block ? "dev" : "file",
                       xml_attribute(disk.target));
  }
  out += fmt::format("      <target dev='{}' bus='xen'/>\n", xml_attribute(disk.vdev));
  return out + (disk.read_only ? "      <readonly/>\n" : "") + "    </disk>\n";
}

std::string print_interface(const Interface& interface) {
  const bool bridge = !interface.bridge.empty();
  std::string out = fmt::format("    <interface type='{}'>\n", bridge ? "bridge" : "ethernet");
  const auto add = [&](const char* pattern, const std::string& value) {
    if (!value.empty()) out += fmt::format(fmt::runtime(pattern), xml_attribute(value));
  };
  add("      <mac address='{}'/>\n", interface.mac);
  add("      <source bridge='{}'/>\n", interface.bridge);
  add("      <script path='{}'/>\n", interface.script);
  add("      <target dev='{}'/>\n", interface.vifname);
  add("      <model type='{}'/>\n", interface.model);
  add("      <ip address='{}'/>\n", interface.ip);
  return out + "    </interface>\n";
}

std::string print_pci(const PciAddress& address) {
  return fmt::format(
      "    <hostdev mode='subsystem' type='pci' managed='yes'>\n      <source>\n        <address "
      "domain='0x{:04x}' bus='0x{:02x}' slot='0x{:02x}' function='0x{:x}'/>\n      </source>\n    "
      "</hostdev>\n",
      address.domain, address.bus, address.slot, address.function);
}

// All of the key's devices, or none: their order counts.
template <typename Parse, typename Print>
std::string Writer::devices_of(std::string_view key, Parse parse, Print print) {
  const Value* const list = find(key);
  if (list == nullptr || list->kind != Value::Kind::list || list->items.empty()) return {};
  std::string out;
  for (const Value& item : list->items) {
    if (item.kind == Value::Kind::list) return {};
    const auto device = parse(item.text);
    if (!device) return {};
    out += print(*device);
  }
  written_.insert(key);
  return out;
}

void Writer::add_devices() {
  std::string inner = devices_of("disk", disk_of, print_disk) +
                      devices_of("vif", interface_of, print_interface) +
                      devices_of("pci", pci_of, print_pci);
  inner += "    <console type='pty'>\n      <target type='xen' port='0'/>\n    </console>\n";
  out_ += "  <devices>\n" + inner + "  </devices>\n";
}

std::string metadata_item(std::string_view head, std::string_view tag, const Value& value,
                          std::size_t indent) {
  const std::string margin(indent, ' ');
  const char* const type = value.kind == Value::Kind::number ? " type='number'"
                           : value.kind == Value::Kind::list ? " type='list'"
                                                             : "";
  if (value.kind != Value::Kind::list) {
    return fmt::format("{}<xl:{}{}>{}</xl:{}>\n", margin, head, type, xml_text(value.text), tag);
  }
  std::string out = fmt::format("{}<xl:{}{}>\n", margin, head, type);
  for (const Value& item : value.items) out += metadata_item("item", "item", item, indent + 2);
  return out + fmt::format("{}</xl:{}>\n", margin, tag);
}

void Writer::add_metadata() {
  std::string inner;
  for (const Assignment& assignment : assignments_) {
    if (written_.contains(assignment.key)) continue;
    inner += metadata_item(fmt::format("set key='{}'", assignment.key), "set", assignment.value, 6);
  }
  if (inner.empty() && implied_.empty()) return;
  const std::string implied =
      implied_.empty() ? "" : fmt::format(" implied='{}'", implied_.substr(1));
  const std::string head =
      fmt::format("    <xl:config xmlns:xl='{}'{}", metadata_namespace, implied);
  out_ += "  <metadata>\n" + head;
  out_ += inner.empty() ? "/>\n" : ">\n" + inner + "    </xl:config>\n";
  out_ += "  </metadata>\n";
}

std::string Writer::write() {
  out_ = "<domain type='xen'>\n";
  add_texts(domain_texts);
  add_memory();
  add_vcpus();
  add_pins();
  add_os();
  add_features();
  add_texts(action_texts);
  add_devices();
  add_metadata();
  return out_ + "</domain>\n";
}

bool check_value(const std::string& key, const Value& value, Findings& findings) {
  const std::string_view bad = find_unwritable(value.text);
  if (!bad.empty()) {
    std::string shown = printable(bad);
    if (bad.size() > 1) shown = bad == "\xef\xbf\xbe" ? "U+FFFE" : "U+FFFF";
    findings.error(value.span, fmt::format("'{}' holds {}, which XML cannot carry", key, shown),
                   "convert to yaml or json, or take it out");
    return false;
  }
  return std::all_of(value.items.begin(), value.items.end(),
                     [&](const Value& item) { return check_value(key, item, findings); });
}

}  // namespace
}  // namespace xl::config::libvirt

namespace xl::config {

std::optional<std::string> write_xml(std::span<const Assignment> assignments, Findings& findings) {
  bool fine = true;
  for (const Assignment& assignment : assignments) {
    fine = libvirt::check_value(assignment.key, assignment.value, findings) && fine;
  }
  return fine ? std::optional(libvirt::Writer(assignments).write()) : std::nullopt;
}

}  // namespace xl::config
