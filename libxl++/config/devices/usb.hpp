// SPDX-License-Identifier: Apache-2.0
// USB controllers and devices, as in usbctrl= and usbdev= of xl.cfg(5). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libxl++/config/devices/choice.hpp"
#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

enum class UsbControllerType : std::uint8_t { automatic, pv, device_model, qusb };

struct UsbController {
  UsbControllerType type = UsbControllerType::automatic;
  std::uint32_t version = 0;  // 1 to 3; 0: not given
  std::uint32_t ports = 0;    // 1 to 31; 0: not given

  bool operator==(const UsbController&) const = default;
};

struct UsbDevice {
  std::uint8_t host_bus = 0;
  std::uint8_t host_address = 0;
  std::optional<std::uint32_t> controller;
  std::uint32_t port = 0;  // from 1; 0: not given

  bool operator==(const UsbDevice&) const = default;
};

ParsedSpec<UsbController> parse_usb_controller(const std::string& spec);
ParsedSpec<UsbDevice> parse_usb_device(const std::string& spec);

inline constexpr Choice<UsbControllerType> usb_controller_types[] = {
    {"auto", UsbControllerType::automatic},
    {"pv", UsbControllerType::pv},
    {"devicemodel", UsbControllerType::device_model},
    {"qusb", UsbControllerType::qusb}};

}  // namespace xl::config
