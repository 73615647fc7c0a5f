// SPDX-License-Identifier: Apache-2.0
// The other devices: the first octet says which. Also names of virtual disks ('v').
#include <sstream>
#include <vector>

#include "spec_check.hpp"

namespace {

using namespace xl::config;  // NOLINT: the target is about it

template <typename Device>
void check(ParsedSpec<Device> (*parse)(const std::string&), const std::string& spec) {
  check_spec(parse(spec), {&spec, 1});
}

void check_vdev(const std::string& name) {
  const xl::Result<Vdev> vdev = parse_vdev(name);
  if (!vdev) {
    require(is_printable(vdev.error().message));
    return;
  }
  require(vdev->number <= 0x7fffffff);
  // The number is a name of the same device.
  require(parse_vdev(std::to_string(vdev->number))->number == vdev->number);
}

// The items of a card, one per line.
void check_card(const std::string& spec) {
  std::vector<std::string> items;
  std::istringstream lines(spec);
  for (std::string line; std::getline(lines, line);) items.push_back(line);
  check_spec(parse_vsnd(items), items);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string spec(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'v': check_vdev(spec); break;
    case 'c': check(parse_channel, spec); break;
    case '9': check(parse_p9, spec); break;
    case 'l': check(parse_pvcalls, spec); break;
    case 'p': check(parse_pci, spec); break;
    case 'r': check(parse_rdm, spec); break;
    case 'u': check(parse_usb_controller, spec); break;
    case 'd': check(parse_usb_device, spec); break;
    case 't': check(parse_vtpm, spec); break;
    case 'k': check(parse_vkb, spec); break;
    case 's': check(parse_vdispl, spec); break;
    case 'a': check_card(spec); break;
    case 'f': check(parse_vfb, spec); break;
    default: break;
  }
  return 0;
}
