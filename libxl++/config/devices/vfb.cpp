// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/vfb.hpp"

#include <algorithm>

#include "libxl++/config/devices/keyed_spec.hpp"

namespace xl::config {
namespace {

constexpr std::uint64_t last_display = 65535 - 5900;  // its TCP port is 5900 higher

template <std::string Vfb::*Member>
void read_text(const SpecItem& item, Vfb& vfb, SpecFindings& findings) {
  if (auto text = read_string(item, findings)) vfb.*Member = std::move(*text);
}

template <std::optional<bool> Vfb::*Member>
void read_switch(const SpecItem& item, Vfb& vfb, SpecFindings& findings) {
  if (const auto value = read_flag(item, findings)) vfb.*Member = *value;
}

void read_display(const SpecItem& item, Vfb& vfb, SpecFindings& findings) {
  if (const auto display = read_natural(item, 0, last_display, findings)) {
    vfb.vnc_display = static_cast<std::uint32_t>(*display);
  }
}

void read_password(const SpecItem& item, Vfb& vfb, SpecFindings& findings) {
  vfb.vnc_password = item.value->text;
  vfb.vnc_password_given = true;
  if (vfb.vnc_password.empty()) {
    findings.warning(item.whole.place, "with an empty vncpasswd anybody may connect",
                     "give one, or leave the key out");
  }
}

constexpr SpecKey<Vfb> vfb_keys[] = {
    {"vnc", read_switch<&Vfb::vnc>},       {"vnclisten", read_text<&Vfb::vnc_listen>},
    {"vncdisplay", read_display},          {"vncunused", read_switch<&Vfb::vnc_find_unused>},
    {"vncpasswd", read_password},          {"sdl", read_switch<&Vfb::sdl>},
    {"display", read_text<&Vfb::display>}, {"xauthority", read_text<&Vfb::xauthority>},
    {"opengl", read_switch<&Vfb::opengl>}, {"keymap", read_text<&Vfb::keymap>}};

// "ADDRESS:DISPLAY"; the colons of an IPv6 address say nothing.
bool names_display(std::string_view listen) {
  const std::size_t bracket = listen.rfind(']');
  if (bracket != std::string_view::npos) listen.remove_prefix(bracket);
  return std::count(listen.begin(), listen.end(), ':') == 1;
}

}  // namespace

ParsedSpec<Vfb> parse_vfb(const std::string& spec) {
  SpecFindings findings;
  Vfb vfb;
  read_items(std::span(&spec, 1), "a vfb", vfb_keys, vfb, findings);
  if (!findings.has_errors() && vfb.vnc_display != 0 && names_display(vfb.vnc_listen)) {
    findings.error({}, "vnclisten and vncdisplay both name a display", "keep one of the two");
  }
  return std::move(findings).finish(std::move(vfb));
}

}  // namespace xl::config
