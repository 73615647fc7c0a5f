// SPDX-License-Identifier: Apache-2.0
// Virtual keyboards and pointers, as in vkb= of xl.cfg(5). Pure.
#pragma once

#include <cstdint>
#include <string>

#include "libxl++/config/devices/choice.hpp"
#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

enum class VkbBackend : std::uint8_t { unset, qemu, linux_pv };

// Sizes are 0 if they are not given.
struct Vkb {
  std::string backend;  // a domain; empty: domain 0
  VkbBackend backend_type = VkbBackend::unset;
  std::string unique_id;
  bool disable_keyboard = false;
  bool disable_pointer = false;
  bool absolute_pointer = false;
  bool raw_pointer = false;
  bool multi_touch = false;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t multi_touch_width = 0;
  std::uint32_t multi_touch_height = 0;
  std::uint32_t multi_touch_contacts = 0;

  bool operator==(const Vkb&) const = default;
};

ParsedSpec<Vkb> parse_vkb(const std::string& spec);

inline constexpr Choice<VkbBackend> vkb_backends[] = {{"qemu", VkbBackend::qemu},
                                                      {"linux", VkbBackend::linux_pv}};

}  // namespace xl::config
