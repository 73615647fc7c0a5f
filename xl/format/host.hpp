// SPDX-License-Identifier: Apache-2.0
// The host and the daemon as text. Pure.
#pragma once

#include <string>
#include <vector>

#include "libxl++/api/wire.hpp"

namespace xl::cli {

struct InfoLine {
  std::string key;
  std::string value;
};

// xl info's keys in stock xl's order, then our own.
std::vector<InfoLine> info_lines(const api::HostView& host);
std::string info_table(const std::vector<InfoLine>& lines);

std::string daemon_table(const api::DaemonView& daemon);

}  // namespace xl::cli
