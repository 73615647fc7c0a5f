// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/usb.hpp"

#include "libxl++/config/devices/keyed_spec.hpp"

namespace xl::config {
namespace {

constexpr std::uint64_t most_ports = 31;
constexpr std::uint64_t last_controller = 255;
constexpr Choice<bool> usb_device_types[] = {{"hostdev", true}};

void read_type(const SpecItem& item, UsbController& controller, SpecFindings& findings) {
  if (const auto type =
          read_choice(*item.value, "a type of USB controller", usb_controller_types, findings)) {
    controller.type = *type;
  }
}

template <typename Device, auto Member, std::uint64_t Least, std::uint64_t Most>
void read_number(const SpecItem& item, Device& device, SpecFindings& findings) {
  if (const auto number = read_natural(item, Least, Most, findings)) {
    device.*Member = static_cast<std::uint8_t>(*number);
  }
}

void read_device_type(const SpecItem& item, UsbDevice&, SpecFindings& findings) {
  read_choice(*item.value, "a type of USB device", usb_device_types, findings);
}

constexpr SpecKey<UsbController> controller_keys[] = {
    {"type", read_type},
    {"version", read_number<UsbController, &UsbController::version, 1, 3>},
    {"ports", read_number<UsbController, &UsbController::ports, 1, most_ports>}};

constexpr SpecKey<UsbDevice> device_keys[] = {
    {"type", read_device_type},
    {"hostbus", read_number<UsbDevice, &UsbDevice::host_bus, 1, 255>},
    {"hostaddr", read_number<UsbDevice, &UsbDevice::host_address, 1, 255>},
    {"controller", read_number<UsbDevice, &UsbDevice::controller, 0, last_controller>},
    {"port", read_number<UsbDevice, &UsbDevice::port, 1, most_ports>}};

}  // namespace

ParsedSpec<UsbController> parse_usb_controller(const std::string& spec) {
  SpecFindings findings;
  UsbController controller;
  read_items(std::span(&spec, 1), "a USB controller", controller_keys, controller, findings);
  const bool for_hvm = controller.type == UsbControllerType::device_model;
  if (!findings.has_errors() && controller.version == 3 && !for_hvm) {
    findings.error({}, "version=3 is there with type=devicemodel only", "write version=2");
  }
  return std::move(findings).finish(controller);
}

ParsedSpec<UsbDevice> parse_usb_device(const std::string& spec) {
  SpecFindings findings;
  UsbDevice device;
  read_items(std::span(&spec, 1), "a USB device", device_keys, device, findings);
  if (findings.has_errors()) return std::move(findings).finish(UsbDevice());
  if (device.host_bus == 0 || device.host_address == 0) {
    findings.error({}, "the USB device has no hostbus and hostaddr",
                   "write both as lsusb(1) shows them: hostbus=1,hostaddr=3");
  }
  if (device.port != 0 && !device.controller) {
    findings.error({}, "the USB device has a port and no controller", "write controller=0 as well");
  }
  return std::move(findings).finish(device);
}

}  // namespace xl::config
