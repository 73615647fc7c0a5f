// SPDX-License-Identifier: Apache-2.0
// The host and the daemon as text. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "libxl++/api/wire.hpp"

namespace xl::cli {

// All CPUs are in one pool.
inline constexpr const char* only_pool = "Pool-0";

struct InfoLine {
  std::string key;
  std::string value;
};

// xl info's keys in stock xl's order, then our own.
std::vector<InfoLine> info_lines(const api::HostView& host);
std::string info_table(const std::vector<InfoLine>& lines);
// xl info -n: with the topology, where stock xl has it.
std::string numa_table(const std::vector<InfoLine>& lines, const api::HostView& host);

// xl cpupool-list, with -c, with --json. `domains` with Domain-0.
std::string pool_table(std::uint32_t cpus, std::size_t domains);
std::string pool_cpus(std::uint32_t cpus);
std::string pool_json(std::uint32_t cpus, std::size_t domains);

std::string daemon_table(const api::DaemonView& daemon);

}  // namespace xl::cli
