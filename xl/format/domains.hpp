// SPDX-License-Identifier: Apache-2.0
// Domains as tables, column for column as stock xl prints them: scripts cut them apart. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "libxl++/api/wire.hpp"

namespace xl::cli {

// Columns beside the usual ones.
struct ListColumns {
  bool verbose = false;  // UUID, reason code and security label (always empty here)
  bool context = false;  // the label alone
  bool cpupool = false;  // always the one pool
  bool numa = false;     // always the one node
  bool claims = false;   // MiB that are claimed for it: always none
};

// xl list.
std::string domain_table(std::span<const api::DomainView> domains, ListColumns columns);
// xl sharing.
std::string sharing_table(std::span<const api::DomainView> domains);
// xl vm-list.
std::string vm_table(std::span<const api::DomainView> domains);
// xl uptime; `now_ms` since 1970.
std::string uptime_table(std::span<const api::DomainView> domains, std::int64_t now_ms);
// xl uptime -s; `clock` is the time of day.
std::string uptime_lines(std::span<const api::DomainView> domains, std::int64_t now_ms,
                         const std::string& clock);

}  // namespace xl::cli
