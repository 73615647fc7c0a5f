// SPDX-License-Identifier: Apache-2.0
// PCI devices, xl-pci-configuration(5) in full, and rdm= of xl.cfg(5), which belongs to them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

enum class RdmPolicy : std::uint8_t { unset, strict, relaxed };

// Where a device is on the host.
struct PciAddress {
  std::uint32_t domain = 0;  // to 0xffff
  std::uint8_t bus = 0;
  std::uint8_t device = 0;     // to 0x1f
  std::uint8_t function = 0;   // to 7
  bool all_functions = false;  // written as "*"

  // "[DDDD:]BB:SS.F", hexadecimal. invalid_argument.
  static Result<PciAddress> parse(std::string_view text);
  bool operator==(const PciAddress&) const = default;
};

struct Pci {
  std::optional<PciAddress> address;  // none: there is a name
  std::string name;                   // given when it was made assignable
  std::uint8_t slot = 0;              // in the guest, to 0x1f; 0: any
  // None: what the config says of all its devices.
  std::optional<bool> msi_translate;
  std::optional<bool> power_management;
  std::optional<bool> permissive;
  std::optional<bool> seize;
  RdmPolicy rdm_policy = RdmPolicy::unset;

  bool operator==(const Pci&) const = default;
};

// What libxlutil takes is taken, with the same meaning. But a boolean has to be a number (it takes
// any word for no), and blanks may stand around everything.
ParsedSpec<Pci> parse_pci(const std::string& spec);

struct Rdm {
  bool host = false;  // strategy=host
  RdmPolicy policy = RdmPolicy::unset;

  bool operator==(const Rdm&) const = default;
};

ParsedSpec<Rdm> parse_rdm(const std::string& spec);

}  // namespace xl::config
