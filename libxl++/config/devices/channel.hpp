// SPDX-License-Identifier: Apache-2.0
// Channels, as in channel= of xl.cfg(5). Pure.
#pragma once

#include <cstdint>
#include <string>

#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

enum class ChannelConnection : std::uint8_t { pty, socket };

struct Channel {
  std::string backend;  // a domain; empty: domain 0
  std::string name;
  ChannelConnection connection = ChannelConnection::pty;
  std::string path;  // of the socket

  bool operator==(const Channel&) const = default;
};

ParsedSpec<Channel> parse_channel(const std::string& spec);

}  // namespace xl::config
