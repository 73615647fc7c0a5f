// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/vkb.hpp"

#include <limits>

#include "libxl++/config/devices/keyed_spec.hpp"

namespace xl::config {
namespace {

template <std::string Vkb::*Member>
void read_text(const SpecItem& item, Vkb& vkb, SpecFindings& findings) {
  if (auto text = read_string(item, findings)) vkb.*Member = std::move(*text);
}

template <bool Vkb::*Member>
void read_feature(const SpecItem& item, Vkb& vkb, SpecFindings& findings) {
  if (const auto value = read_flag(item, findings)) vkb.*Member = *value;
}

template <std::uint32_t Vkb::*Member>
void read_size(const SpecItem& item, Vkb& vkb, SpecFindings& findings) {
  if (const auto size =
          read_natural(item, 0, std::numeric_limits<std::uint32_t>::max(), findings)) {
    vkb.*Member = static_cast<std::uint32_t>(*size);
  }
}

void read_backend_type(const SpecItem& item, Vkb& vkb, SpecFindings& findings) {
  if (const auto type = read_choice(*item.value, "a backend-type", vkb_backends, findings)) {
    vkb.backend_type = *type;
  }
}

constexpr SpecKey<Vkb> vkb_keys[] = {
    {"unique-id", read_text<&Vkb::unique_id>},
    {"backend", read_text<&Vkb::backend>},
    {"backend-type", read_backend_type},
    {"feature-disable-keyboard", read_feature<&Vkb::disable_keyboard>},
    {"feature-disable-pointer", read_feature<&Vkb::disable_pointer>},
    {"feature-abs-pointer", read_feature<&Vkb::absolute_pointer>},
    {"feature-raw-pointer", read_feature<&Vkb::raw_pointer>},
    {"feature-multi-touch", read_feature<&Vkb::multi_touch>},
    {"multi-touch-width", read_size<&Vkb::multi_touch_width>},
    {"multi-touch-height", read_size<&Vkb::multi_touch_height>},
    {"multi-touch-num-contacts", read_size<&Vkb::multi_touch_contacts>},
    {"width", read_size<&Vkb::width>},
    {"height", read_size<&Vkb::height>}};

}  // namespace

ParsedSpec<Vkb> parse_vkb(const std::string& spec) {
  SpecFindings findings;
  Vkb vkb;
  read_items(std::span(&spec, 1), "a vkb", vkb_keys, vkb, findings);
  if (findings.has_errors()) return std::move(findings).finish(Vkb());
  if (vkb.backend_type == VkbBackend::unset) {
    findings.error({}, "the vkb has no backend-type",
                   "write backend-type=qemu or backend-type=linux");
  }
  // As xl: a size is enough to say that it can be touched, and one of them is needed.
  const bool sized =
      vkb.multi_touch_width != 0 || vkb.multi_touch_height != 0 || vkb.multi_touch_contacts != 0;
  if (vkb.multi_touch && !sized) {
    findings.error({}, "feature-multi-touch needs a size",
                   "write multi-touch-width, multi-touch-height, multi-touch-num-contacts");
  }
  vkb.multi_touch = vkb.multi_touch || sized;
  return std::move(findings).finish(std::move(vkb));
}

}  // namespace xl::config
