// SPDX-License-Identifier: Apache-2.0
// Vcpus and shares as tables, column for column as stock xl prints them, and as JSON. Pure.
#pragma once

#include <span>
#include <string>

#include "libxl++/api/wire.hpp"

namespace xl::cli {

// xl vcpu-list
std::string vcpu_table(std::span<const api::VcpuView> vcpus);
std::string vcpu_json(std::span<const api::VcpuView> vcpus);
// xl sched-credit2
std::string share_table(std::span<const api::ShareView> shares);
std::string share_json(std::span<const api::ShareView> shares);

}  // namespace xl::cli
