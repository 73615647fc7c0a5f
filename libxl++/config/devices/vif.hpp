// SPDX-License-Identifier: Apache-2.0
// Network interfaces, xl-network-configuration(5) in full. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libxl++/config/devices/choice.hpp"
#include "libxl++/config/devices/mac.hpp"
#include "libxl++/config/devices/rate.hpp"
#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

enum class VifType : std::uint8_t { unset, ioemu, vif };

// Empty texts: not given.
struct Vif {
  std::string backend;  // a domain; empty: domain 0
  std::optional<std::uint32_t> devid;
  std::uint32_t mtu = 0;  // 0: not given
  std::string model;
  std::optional<MacAddress> mac;  // none: one is made up
  std::string ip;
  std::string bridge;
  std::string name;  // vifname: of the backend's interface
  std::string script;
  VifType type = VifType::unset;
  std::optional<VifRate> rate;
  std::string gateway_device;
  // What COLO is told: libxl's field and its value, in libxl's order, each at most once.
  std::vector<std::pair<std::string_view, std::string>> colo;
  std::optional<bool> trusted;

  bool operator==(const Vif&) const = default;
};

// `words`: one string of a config, or the words of `xl network-attach`. An empty one is a vif too.
ParsedSpec<Vif> parse_vif(std::span<const std::string> words);
ParsedSpec<Vif> parse_vif(const std::string& spec);

}  // namespace xl::config
