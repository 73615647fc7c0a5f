// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/formats/spec_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "libxl++/config/characters.hpp"

namespace xl::config {
namespace {

using namespace std::string_view_literals;

constexpr std::array spec_keys = {
    "channel"sv, "disk"sv, "p9"sv,  "pci"sv,  "pvcalls"sv, "rdm"sv, "usbctrl"sv, "vdispl"sv,
    "usbdev"sv,  "vfb"sv,  "vif"sv, "vif2"sv, "virtio"sv,  "vkb"sv, "vsnd"sv,    "vtpm"sv};
// What xl-disk-configuration(5) writes without a value.
constexpr std::array disk_flags = {"cdrom"sv, "direct-io-safe"sv, "discard"sv, "no-discard"sv};

template <std::size_t N>
bool is_among(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_name(std::string_view text) {
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

// A disk's target takes the rest of the string, commas and all, so it has to be the last.
bool takes_the_rest(std::string_view key, std::string_view name) {
  return key == "disk" && name == "target";
}

bool refuse(Span span, std::string message, Findings& findings, std::string hint = {}) {
  findings.error(span, std::move(message), std::move(hint));
  return false;
}

bool check_atom(std::string_view key, const Member& member, Findings& findings) {
  const Node& value = member.value;
  const std::string name = printable(member.name);
  if (!is_name(member.name)) {
    return refuse(member.span, fmt::format("'{}' is not a name of an option of '{}'", name, key),
                  findings, "letters, digits, '-' and '_' make a name");
  }
  if (value.kind == Node::Kind::list || value.kind == Node::Kind::map) {
    return refuse(value.span, fmt::format("'{}' of '{}' takes one value", name, key), findings);
  }
  if (value.kind == Node::Kind::null) {
    return refuse(member.span, fmt::format("'{}' of '{}' has no value", name, key), findings,
                  "remove it, or give it a value");
  }
  if (key != "vnuma" && !takes_the_rest(key, member.name) &&
      value.text.find(',') != std::string::npos) {
    return refuse(value.span, fmt::format("'{}' of '{}' cannot hold a comma", name, key), findings);
  }
  return true;
}

std::string part_of(std::string_view key, const Member& member) {
  const Node& value = member.value;
  if (value.kind != Node::Kind::boolean) return member.name + "=" + value.text;
  const bool yes = value.text == "true";
  if (key != "disk" || !is_among(member.name, disk_flags)) {
    return member.name + (yes ? "=1" : "=0");
  }
  if (yes) return member.name;
  return member.name == "discard" ? "no-discard" : "";
}

bool check_names(std::string_view key, const Node& map, Findings& findings) {
  for (auto member = map.members.begin(); member != map.members.end(); ++member) {
    if (!check_atom(key, *member, findings)) return false;
    const bool twice = std::any_of(map.members.begin(), member, [&](const Member& earlier) {
      return earlier.name == member->name;
    });
    if (twice) {
      return refuse(member->span, fmt::format("'{}' stands here twice", printable(member->name)),
                    findings, "remove one of the two");
    }
  }
  return true;
}

Value strings_of(const Node& map) {
  Value list{Value::Kind::list, map.span, {}, {}};
  for (const Member& member : map.members) {
    list.items.push_back({Value::Kind::string, member.span, part_of("vnuma", member), {}});
  }
  return list;
}

// None: it is positional, or needs more than a name and a value.
std::optional<Member> member_of(std::string_view key, std::string_view part) {
  const std::size_t sign = part.find('=');
  Member member;
  member.name = part.substr(0, sign);
  if (!is_name(member.name)) return std::nullopt;
  if (sign == std::string_view::npos) {
    if (key != "disk" || !is_among(part, disk_flags)) return std::nullopt;
    member.value.kind = Node::Kind::boolean;
    member.value.text = "true";
    return member;
  }
  member.value.text = part.substr(sign + 1);
  member.value.kind = is_plain_integer(member.value.text) ? Node::Kind::number : Node::Kind::text;
  return member;
}

std::optional<Node> map_of_spec(std::string_view key, std::string_view spec) {
  Node map{Node::Kind::map, {}};
  while (true) {
    const bool rest = takes_the_rest(key, spec.substr(0, spec.find('=')));
    const std::string_view part = rest ? spec : spec.substr(0, spec.find(','));
    std::optional<Member> member = member_of(key, part);
    if (!member) return std::nullopt;
    map.members.push_back(std::move(*member));
    if (part.size() == spec.size()) return map;
    spec.remove_prefix(part.size() + 1);
  }
}

std::optional<Node> map_of_strings(const Value& list) {
  Node map{Node::Kind::map, {}};
  for (const Value& item : list.items) {
    std::optional<Member> member;
    if (item.kind == Value::Kind::string) member = member_of("vnuma", item.text);
    if (!member) return std::nullopt;
    map.members.push_back(std::move(*member));
  }
  return map;
}

bool same(const Value& a, const Value& b) {
  return a.kind == b.kind && a.text == b.text &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same);
}

}  // namespace

std::optional<Value> value_of_map(std::string_view key, const Node& map, Findings& findings) {
  if (map.members.empty()) {
    findings.error(map.span, "a map without members");
    return std::nullopt;
  }
  if (!check_names(key, map, findings)) return std::nullopt;
  if (key == "vnuma") return strings_of(map);
  std::string spec;
  std::string last;
  for (const Member& member : map.members) {
    std::string part = part_of(key, member);
    if (takes_the_rest(key, member.name)) {
      last = std::move(part);
    } else if (!part.empty()) {
      spec += (spec.empty() ? "" : ",") + part;
    }
  }
  if (!last.empty()) spec += (spec.empty() ? "" : ",") + last;
  return Value{Value::Kind::string, map.span, std::move(spec), {}};
}

std::optional<Node> map_of_value(std::string_view key, const Value& value) {
  std::optional<Node> map;
  if (key == "vnuma") {
    if (value.kind == Value::Kind::list && !value.items.empty()) map = map_of_strings(value);
  } else if (value.kind == Value::Kind::string && is_among(key, spec_keys)) {
    map = map_of_spec(key, value.text);
  }
  if (!map) return std::nullopt;
  Findings findings{{}};
  const std::optional<Value> back = value_of_map(key, *map, findings);
  return back && same(*back, value) ? map : std::nullopt;
}

}  // namespace xl::config
