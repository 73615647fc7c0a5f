// SPDX-License-Identifier: Apache-2.0
// The handlers of keys that are lists of device specifications: one template for all kinds whose
// devices stand by themselves, and admission of those that must not meet a twin.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libxl++/config/devices/report.hpp"
#include "libxl++/config/draft.hpp"
#include "libxl++/config/syntax.hpp"
#include "libxl++/config/values.hpp"

namespace xl::config {

// `admit` looks at a device before those behind it are read, and may change it.
template <typename Device, typename Admit>
void read_devices(const Assignment& assignment, Draft& draft,
                  ParsedSpec<Device> (*parse)(const std::string& spec),
                  std::vector<Device>& devices, Admit admit) {
  for (const Value& item : assignment.value.items) {
    ParsedSpec<Device> parsed = parse(item.text);
    report_spec(parsed.findings, assignment.key, item, draft.findings);
    if (!parsed.value) continue;
    admit(*parsed.value, item);
    devices.push_back(std::move(*parsed.value));
  }
}

// An error if `same` holds of the device and one of those before it.
template <typename Device, typename Same>
void refuse_twin(const std::vector<Device>& devices, Same same, const Value& item,
                 std::string message, const char* cure, Draft& draft) {
  if (std::any_of(devices.begin(), devices.end(), same)) {
    draft.findings.error(Rule::contradiction, item.span, std::move(message), cure);
  }
}

template <auto Parse, auto Devices::*Member>
void set_devices(const Assignment& assignment, Draft& draft) {
  read_devices(assignment, draft, +Parse, draft.devices.*Member, [](auto&, const Value&) {});
}

void set_disk(const Assignment& assignment, Draft& draft);
void set_vif(const Assignment& assignment, Draft& draft);
void set_channel(const Assignment& assignment, Draft& draft);
void set_p9(const Assignment& assignment, Draft& draft);
void set_pci(const Assignment& assignment, Draft& draft);
void set_usbdev(const Assignment& assignment, Draft& draft);
void set_vsnd(const Assignment& assignment, Draft& draft);

// What all devices of pci= get that do not say it themselves.
template <std::optional<bool> Pci::*Member>
void set_pci_default(const Assignment& assignment, Draft& draft) {
  draft.pci_defaults.*Member = read_boolean(assignment, draft.findings);
}

}  // namespace xl::config
