// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/mac.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>

#include "libxl++/config/characters.hpp"

namespace xl::config {

Result<MacAddress> MacAddress::parse(std::string_view text) {
  const auto wrong = [text] {
    return fail(ErrorId::device_wrong, fmt::format("'{}' is not a MAC address", printable(text)),
                "write six groups of two hexadecimal digits, as in 00:16:3e:74:3d:76");
  };
  MacAddress address;
  std::string_view rest = text;
  for (std::size_t i = 0; i < address.octets.size(); ++i) {
    const std::string_view group = rest.substr(0, rest.find(':'));
    const char* const end = group.data() + group.size();
    const auto [at, error] = std::from_chars(group.data(), end, address.octets[i], 16);
    if (group.empty() || group.size() > 2 || at != end || error != std::errc()) return wrong();
    rest.remove_prefix(group.size());
    const bool last = i + 1 == address.octets.size();
    if (rest.empty() != last) return wrong();
    if (!last) rest.remove_prefix(1);
  }
  return address;
}

std::string to_string(const MacAddress& address) {
  const auto& o = address.octets;
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", o[0], o[1], o[2], o[3], o[4],
                     o[5]);
}

}  // namespace xl::config
