// SPDX-License-Identifier: Apache-2.0
// Paravirtual framebuffers, as in vfb= of xl.cfg(5). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

// Empty texts and 0: not given.
struct Vfb {
  std::optional<bool> vnc;
  std::string vnc_listen;
  std::string vnc_password;
  bool vnc_password_given = false;  // perhaps as an empty one: anybody may connect
  std::uint32_t vnc_display = 0;
  std::optional<bool> vnc_find_unused;
  std::optional<bool> sdl;
  std::optional<bool> opengl;
  std::string display;
  std::string xauthority;
  std::string keymap;

  bool operator==(const Vfb&) const = default;
};

ParsedSpec<Vfb> parse_vfb(const std::string& spec);

}  // namespace xl::config
