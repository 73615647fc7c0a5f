// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/vif.hpp"

#include <algorithm>
#include <limits>

#include "libxl++/config/devices/colo_keys.hpp"
#include "libxl++/config/devices/keyed_spec.hpp"

namespace xl::config {
namespace {

constexpr Choice<VifType> vif_types[] = {{"vif", VifType::vif}, {"ioemu", VifType::ioemu}};
constexpr std::uint64_t most_devid = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t least_mtu = 68;  // RFC 791: what every IPv4 link must carry
constexpr std::uint64_t most_mtu = 65535;

template <std::string Vif::*Member>
void read_text(const SpecItem& item, Vif& vif, SpecFindings& findings) {
  if (auto text = read_string(item, findings)) vif.*Member = std::move(*text);
}

void read_mac(const SpecItem& item, Vif& vif, SpecFindings& findings) {
  const Result<MacAddress> mac = MacAddress::parse(item.value->text);
  if (!mac) {
    findings.error(item.value->place, mac.error().message, mac.error().hint);
    return;
  }
  if (mac->is_multicast()) {
    findings.warning(item.value->place,
                     fmt::format("'{}' is a multicast address", item.value->text),
                     "an interface's first octet is even, as in 00:16:3e:...");
  }
  vif.mac = *mac;
}

void read_type(const SpecItem& item, Vif& vif, SpecFindings& findings) {
  const auto type = read_choice(*item.value, "a type of vif", vif_types, findings);
  if (!type) return;
  if (*type == VifType::ioemu) {
    findings.warning(item.whole.place,
                     "type=ioemu has no meaning here: PVH domains have no "
                     "emulated network cards",
                     "remove it: the guest has the paravirtual interface in any case");
  }
  vif.type = *type;
}

void read_model(const SpecItem& item, Vif& vif, SpecFindings& findings) {
  read_text<&Vif::model>(item, vif, findings);
  findings.warning(item.whole.place,
                   "'model' has no meaning here: PVH domains have no emulated "
                   "network cards",
                   "remove it");
}

void read_netdev(const SpecItem& item, Vif& vif, SpecFindings& findings) {
  read_text<&Vif::gateway_device>(item, vif, findings);
  findings.warning(item.key.place, "'netdev' is deprecated", "write gatewaydev=...");
}

void read_accel(const SpecItem& item, Vif&, SpecFindings& findings) {
  findings.warning(item.whole.place, "'accel' has no effect, in no version of xl", "remove it");
}

void read_rate(const SpecItem& item, Vif& vif, SpecFindings& findings) {
  if (const auto rate = parse_vif_rate(*item.value, findings)) vif.rate = rate;
}

void read_devid(const SpecItem& item, Vif& vif, SpecFindings& findings) {
  if (const auto devid = read_natural(item, 0, most_devid, findings)) {
    vif.devid = static_cast<std::uint32_t>(*devid);
  }
}

void read_mtu(const SpecItem& item, Vif& vif, SpecFindings& findings) {
  if (const auto mtu = read_natural(item, least_mtu, most_mtu, findings)) {
    vif.mtu = static_cast<std::uint32_t>(*mtu);
  }
}

template <bool Trusted>
void read_trust(const SpecItem&, Vif& vif, SpecFindings&) {
  vif.trusted = Trusted;
}

void read_colo(const SpecItem& item, Vif& vif, SpecFindings& findings) {
  const auto key = std::find_if(std::begin(colo_keys), std::end(colo_keys),
                                [&](const ColoKey& one) { return one.name == item.key.text; });
  auto text = read_string(item, findings);
  if (!text) return;
  const auto have = std::find_if(vif.colo.begin(), vif.colo.end(),
                                 [&](const auto& one) { return one.first == key->field; });
  if (have == vif.colo.end()) {
    vif.colo.emplace_back(key->field, std::move(*text));
  } else {
    have->second = std::move(*text);
  }
}

constexpr SpecKey<Vif> plain_keys[] = {{"mac", read_mac},
                                       {"bridge", read_text<&Vif::bridge>},
                                       {"gatewaydev", read_text<&Vif::gateway_device>},
                                       {"netdev", read_netdev},
                                       {"type", read_type},
                                       {"model", read_model},
                                       {"vifname", read_text<&Vif::name>},
                                       {"script", read_text<&Vif::script>},
                                       {"ip", read_text<&Vif::ip>},
                                       {"backend", read_text<&Vif::backend>},
                                       {"rate", read_rate},
                                       {"devid", read_devid},
                                       {"mtu", read_mtu},
                                       {"accel", read_accel},
                                       {"trusted", read_trust<true>, true},
                                       {"untrusted", read_trust<false>, true}};

const std::vector<SpecKey<Vif>>& vif_keys() {
  static const std::vector<SpecKey<Vif>> keys = [] {
    std::vector<SpecKey<Vif>> all(std::begin(plain_keys), std::end(plain_keys));
    for (const ColoKey& key : colo_keys) all.push_back({key.name, read_colo});
    return all;
  }();
  return keys;
}

std::size_t colo_position(std::string_view field) {
  return static_cast<std::size_t>(
      std::find_if(std::begin(colo_keys), std::end(colo_keys),
                   [field](const ColoKey& key) { return key.field == field; }) -
      std::begin(colo_keys));
}

}  // namespace

ParsedSpec<Vif> parse_vif(std::span<const std::string> words) {
  SpecFindings findings;
  Vif vif;
  read_items(words, "a vif", vif_keys(), vif, findings);
  std::sort(vif.colo.begin(), vif.colo.end(), [](const auto& a, const auto& b) {
    return colo_position(a.first) < colo_position(b.first);
  });
  return std::move(findings).finish(std::move(vif));
}

ParsedSpec<Vif> parse_vif(const std::string& spec) {
  return parse_vif(std::span(&spec, 1));
}

}  // namespace xl::config
