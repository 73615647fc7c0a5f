// SPDX-License-Identifier: Apache-2.0
// What listing commands print with --json: the API's own objects (openapi.yaml), indented. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "libxl++/api/wire.hpp"

namespace xl::cli {

std::string indented(const nlohmann::json& value);
std::string domains_json(std::span<const api::DomainView> domains);  // array of Domain
// Array of {domid, name, uptime_s}.
std::string uptime_json(std::span<const api::DomainView> domains, std::int64_t now_ms);
std::string domid_json(const api::DomainView& domain);  // {domid, name}
std::string host_json(const api::HostView& host);       // Host

}  // namespace xl::cli
