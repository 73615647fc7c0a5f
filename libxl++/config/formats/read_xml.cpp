// SPDX-License-Identifier: Apache-2.0
// libvirt's domain XML to assignments: the domain as a whole. Devices: read_xml_devices.cpp.
#include "libxl++/config/formats/read_xml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/domain_config.hpp"
#include "libxl++/config/formats/document.hpp"
#include "libxl++/config/formats/libvirt.hpp"
#include "libxl++/config/formats/readers.hpp"

namespace xl::config::libvirt {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t octets;
};
constexpr std::array units = {
    Unit{"b", 1},          Unit{"bytes", 1},        Unit{"KB", 1000},
    Unit{"k", 1ULL << 10}, Unit{"KiB", 1ULL << 10}, Unit{"MB", 1000000},
    Unit{"M", 1ULL << 20}, Unit{"MiB", 1ULL << 20}, Unit{"GB", 1000000000},
    Unit{"G", 1ULL << 30}, Unit{"GiB", 1ULL << 30}, Unit{"TB", 1000000000000},
    Unit{"T", 1ULL << 40}, Unit{"TiB", 1ULL << 40},
};

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

const TextElement* find_text(std::span<const TextElement> texts, std::string_view element) {
  const auto at = std::find_if(texts.begin(), texts.end(),
                               [&](const TextElement& one) { return one.element == element; });
  return at == texts.end() ? nullptr : &*at;
}

std::span<const XmlElement> children_of(const XmlElement* element) {
  return element == nullptr ? std::span<const XmlElement>() : element->children;
}

}  // namespace

void Reader::add(std::string_view key, Value::Kind kind, std::string text, Span span) {
  add(key, Value{kind, span, std::move(text), {}}, span);
}

void Reader::add(std::string_view key, Value value, Span key_span) {
  if (std::find(implied_.begin(), implied_.end(), key) != implied_.end()) return;
  assignments_.push_back({std::string(key), key_span, false, std::move(value)});
}

void Reader::no_counterpart(const XmlElement& element, std::string_view what) {
  if (!element.namespace_uri.empty()) return;  // somebody else's
  const std::string name =
      what.empty() ? fmt::format("<{}>", printable(element.name)) : std::string(what);
  findings_.warning(element.span, fmt::format("{} has no counterpart here; it is left out", name));
}

std::optional<std::uint64_t> Reader::whole_number(const XmlElement& element, std::string_view text,
                                                  Span span) {
  const std::string_view digits = trim(text);
  if (!is_plain_integer(digits) || digits.starts_with('-')) {
    findings_.error(
        span, fmt::format("<{}> takes a whole number, not '{}'", element.name, printable(digits)));
    return std::nullopt;
  }
  return std::stoull(std::string(digits));
}

std::optional<std::string> Reader::mebibytes(const XmlElement& element) {
  std::string_view unit = "KiB";
  const XmlAttribute* const given = element.attribute("unit");
  if (given != nullptr) unit = given->value;
  const auto* const known =
      std::find_if(units.begin(), units.end(), [&](const Unit& one) { return one.name == unit; });
  if (known == units.end()) {
    findings_.error(given->span, fmt::format("'{}' is not a unit", printable(unit)),
                    "write KiB, MiB or GiB");
    return std::nullopt;
  }
  const auto count = whole_number(element, element.text, element.text_span);
  if (!count) return std::nullopt;
  std::uint64_t octets = 0;
  constexpr std::uint64_t mebi = 1 << 20;
  if (__builtin_mul_overflow(*count, known->octets, &octets) || octets % mebi != 0) {
    findings_.error(element.text_span,
                    fmt::format("<{}> is not a whole number of MiB", element.name),
                    "Xen's config gives memory in MiB");
    return std::nullopt;
  }
  return std::to_string(octets / mebi);
}

void Reader::read_memory(const XmlElement& domain) {
  const XmlElement* const most = domain.child("memory");
  const XmlElement* const now = domain.child("currentMemory");
  const XmlElement* const memory = now != nullptr ? now : most;
  if (memory != nullptr) {
    if (auto size = mebibytes(*memory)) {
      add("memory", Value::Kind::number, std::move(*size), memory->text_span);
    }
  }
  if (now != nullptr && most != nullptr) {
    if (auto size = mebibytes(*most)) {
      add("maxmem", Value::Kind::number, std::move(*size), most->text_span);
    }
  }
}

void Reader::read_vcpu(const XmlElement& vcpu) {
  const XmlAttribute* const current = vcpu.attribute("current");
  const auto most = whole_number(vcpu, vcpu.text, vcpu.text_span);
  if (!most) return;
  if (current != nullptr) {
    const auto now = whole_number(vcpu, current->value, current->span);
    if (!now) return;
    add("vcpus", Value::Kind::number, std::to_string(*now), current->span);
    add("maxvcpus", Value::Kind::number, std::to_string(*most), vcpu.text_span);
  } else {
    add("vcpus", Value::Kind::number, std::to_string(*most), vcpu.text_span);
  }
}

// cpuset= is for the vcpus that no vcpupin names.
void Reader::read_pins(const XmlElement* vcpu, const XmlElement* cputune) {
  const XmlAttribute* const all = vcpu == nullptr ? nullptr : vcpu->attribute("cpuset");
  Value list{Value::Kind::list, {}, {}, {}};
  for (const XmlElement& pin : children_of(cputune)) {
    if (pin.name != "vcpupin" || !pin.namespace_uri.empty()) continue;
    const XmlAttribute* const index = pin.attribute("vcpu");
    const XmlAttribute* const set = pin.attribute("cpuset");
    if (index == nullptr || set == nullptr) {
      findings_.error(pin.span, "<vcpupin> needs vcpu= and cpuset=");
      return;
    }
    const auto number = whole_number(pin, index->value, index->span);
    if (!number) return;
    if (*number >= max_vcpu_count) {
      findings_.error(index->span, fmt::format("there are {} vcpus at most", max_vcpu_count));
      return;
    }
    if (list.items.empty()) list.span = pin.span;
    const Value other{Value::Kind::string, pin.span, all == nullptr ? "all" : all->value, {}};
    if (list.items.size() <= *number) list.items.resize(*number + 1, other);
    list.items[*number] = {Value::Kind::string, set->span, set->value, {}};
  }
  if (!list.items.empty()) {
    const Span span = list.span;
    add("cpus", std::move(list), span);
  } else if (all != nullptr) {
    add("cpus", Value::Kind::string, all->value, all->span);
  }
}

void Reader::read_cputune(const XmlElement& cputune) {
  for (const XmlElement& child : cputune.children) {
    if (child.name == "shares") {
      if (const auto weight = whole_number(child, child.text, child.text_span)) {
        add("cpu_weight", Value::Kind::number, std::to_string(*weight), child.text_span);
      }
    } else if (child.name != "vcpupin") {
      no_counterpart(child);
    }
  }
}

void Reader::read_type(const XmlElement& type) {
  const XmlAttribute* const machine = type.attribute("machine");
  const std::string_view kind = trim(type.text);
  std::string value(kind);
  if (kind == "xenpvh" || (machine != nullptr && machine->value == "xenpvh")) {
    value = "pvh";
  } else if (kind == "linux" || kind == "xen") {
    value = "pv";
  }
  add("type", Value::Kind::string, std::move(value), type.text_span);
}

void Reader::read_os(const XmlElement& os) {
  for (const XmlElement& child : os.children) {
    const TextElement* const known = find_text(os_texts, child.name);
    if (child.name == "type") {
      read_type(child);
    } else if (known != nullptr) {
      add(known->key, Value::Kind::string, child.text, child.text_span);
    } else {
      no_counterpart(child);
    }
  }
}

// To libvirt, what <features> does not name is off.
void Reader::read_features(const XmlElement& domain, const XmlElement* features) {
  const XmlElement* acpi = nullptr;
  for (const XmlElement& child : children_of(features)) {
    if (child.name == "acpi") {
      acpi = &child;
      add("acpi", Value::Kind::number, "1", child.span);
    } else if (child.name == "hap") {
      const XmlAttribute* const state = child.attribute("state");
      const bool off = state != nullptr && state->value == "off";
      add("hap", Value::Kind::number, off ? "0" : "1", child.span);
    } else {
      no_counterpart(child);
    }
  }
  if (acpi == nullptr) {
    add("acpi", Value::Kind::number, "0", features == nullptr ? domain.span : features->span);
  }
}

void Reader::read_clock(const XmlElement& clock) {
  const XmlAttribute* const offset = clock.attribute("offset");
  if (offset != nullptr && offset->value == "localtime") {
    add("localtime", Value::Kind::number, "1", offset->span);
  } else if (offset != nullptr && offset->value != "utc") {
    no_counterpart(clock, fmt::format("a clock with offset='{}'", printable(offset->value)));
  }
  for (const XmlElement& child : clock.children) no_counterpart(child);
}

std::optional<Value> Reader::metadata_value(const XmlElement& element) {
  const XmlAttribute* const type = element.attribute("type");
  const std::string kind = type == nullptr ? "string" : type->value;
  if (kind == "string") return Value{Value::Kind::string, element.text_span, element.text, {}};
  if (kind == "number") return Value{Value::Kind::number, element.text_span, element.text, {}};
  if (kind != "list") {
    findings_.error(type->span, "a type here is string, number or list");
    return std::nullopt;
  }
  Value list{Value::Kind::list, element.span, {}, {}};
  for (const XmlElement& child : element.children) {
    std::optional<Value> item = metadata_value(child);
    if (!item) return std::nullopt;
    list.items.push_back(std::move(*item));
  }
  return list;
}

void Reader::read_metadata(const XmlElement& config) {
  for (const XmlElement& set : config.children) {
    const XmlAttribute* const key = set.attribute("key");
    if (set.name != "set" || key == nullptr) {
      findings_.error(set.span, "expected <set key='KEY'>");
      continue;
    }
    if (!is_key(key->value)) {
      findings_.error(key->span, fmt::format("'{}' is not a key", printable(key->value)));
      continue;
    }
    if (std::optional<Value> value = metadata_value(set)) {
      assignments_.push_back({key->value, key->span, false, std::move(*value)});
    }
  }
}

void Reader::note_metadata(const XmlElement& config) {
  const XmlAttribute* const implied = config.attribute("implied");
  std::string_view words = implied == nullptr ? std::string_view() : implied->value;
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    implied_.push_back(word);
    words.remove_prefix(std::min(word.size() + 1, words.size()));
  }
  // What is set here is not said by an element, or not as exactly.
  for (const XmlElement& set : config.children) {
    if (const XmlAttribute* const key = set.attribute("key")) implied_.push_back(key->value);
  }
}

void Reader::read_other(const XmlElement& child) {
  const TextElement* known = find_text(domain_texts, child.name);
  if (known == nullptr) known = find_text(action_texts, child.name);
  if (known != nullptr) {
    add(known->key, Value::Kind::string, child.text, child.text_span);
  } else if (child.name == "vcpu") {
    read_vcpu(child);
  } else if (child.name == "cputune") {
    read_cputune(child);
  } else if (child.name == "os") {
    read_os(child);
  } else if (child.name == "clock") {
    read_clock(child);
  } else if (child.name == "devices") {
    read_devices(child);
  } else if (child.name != "memory" && child.name != "currentMemory" && child.name != "features" &&
             child.name != "metadata") {
    no_counterpart(child);
  }
}

void Reader::read(const XmlElement& domain) {
  const XmlElement* const metadata = domain.child("metadata");
  const XmlElement* own = nullptr;
  if (metadata != nullptr) {
    const auto at = std::find_if(
        metadata->children.begin(), metadata->children.end(), [](const XmlElement& child) {
          return child.name == "config" && child.namespace_uri == metadata_namespace;
        });
    if (at != metadata->children.end()) own = &*at;
  }
  if (own != nullptr) note_metadata(*own);
  read_memory(domain);
  for (const XmlElement& child : domain.children) {
    if (child.namespace_uri.empty()) read_other(child);
  }
  read_pins(domain.child("vcpu"), domain.child("cputune"));
  read_features(domain, domain.child("features"));
  if (own != nullptr) read_metadata(*own);
}

}  // namespace xl::config::libvirt

namespace xl::config {

void read_xml(const SourceText& text, std::uint32_t source, Findings& findings,
              std::vector<Assignment>& assignments) {
  const std::optional<XmlElement> root = read_xml_tree(text, source, findings);
  if (!root) return;
  if (root->name != "domain") {
    findings.error(root->span, fmt::format("<{}> is not a domain", printable(root->name)),
                   "libvirt's <domain type='xen'> is expected");
    return;
  }
  const XmlAttribute* const type = root->attribute("type");
  if (type == nullptr || type->value != "xen") {
    findings.error(type == nullptr ? root->span : type->span,
                   type == nullptr ? "<domain> has no type"
                                   : fmt::format("a domain of type '{}' is not one of Xen's",
                                                 printable(type->value)),
                   "write <domain type='xen'>");
    return;
  }
  libvirt::Reader(findings, assignments).read(*root);
}

}  // namespace xl::config
