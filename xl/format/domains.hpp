// SPDX-License-Identifier: Apache-2.0
// Domains as tables, column for column as stock xl prints them: scripts cut them apart. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "libxl++/api/wire.hpp"

namespace xl::cli {

// xl list; `verbose` adds UUID, reason code and (empty) security label.
std::string domain_table(std::span<const api::DomainView> domains, bool verbose);
// xl vm-list, without Domain-0.
std::string vm_table(std::span<const api::DomainView> domains);
// xl uptime; `now_ms` since 1970.
std::string uptime_table(std::span<const api::DomainView> domains, std::int64_t now_ms);
// xl uptime -s; `clock` is the time of day.
std::string uptime_lines(std::span<const api::DomainView> domains, std::int64_t now_ms,
                         const std::string& clock);

}  // namespace xl::cli
