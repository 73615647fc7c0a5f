// SPDX-License-Identifier: Apache-2.0
#include "xl/format/json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "libxl++/api/wire_json.hpp"

namespace xl::cli {

using nlohmann::json;

std::string indented(const json& value) {
  return value.dump(4, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string domains_json(std::span<const api::DomainView> domains) {
  json list = json::array();
  for (const api::DomainView& domain : domains) {
    list.push_back(api::to_json(domain));
  }
  return indented(list);
}

std::string uptime_json(std::span<const api::DomainView> domains, std::int64_t now_ms) {
  json list = json::array();
  for (const api::DomainView& domain : domains) {
    list.push_back({{"domid", domain.domid},
                    {"name", domain.name},
                    {"uptime_s", std::max<std::int64_t>(0, (now_ms - domain.created_ms) / 1000)}});
  }
  return indented(list);
}

std::string domid_json(const api::DomainView& domain) {
  return indented({{"domid", domain.domid}, {"name", domain.name}});
}

std::string host_json(const api::HostView& host) {
  return indented(api::to_json(host));
}

}  // namespace xl::cli
