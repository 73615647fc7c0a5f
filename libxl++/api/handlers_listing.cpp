// SPDX-License-Identifier: Apache-2.0
// The handlers that only ask.
#include <nlohmann/json.hpp>

#include "libxl++/api/handlers.hpp"
#include "libxl++/api/views.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/config/json.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

using nlohmann::json;

json counters_json(const std::vector<hv::NamedCounter>& counters) {
  json object = json::object();
  for (const hv::NamedCounter& counter : counters) {
    object[counter.name] = counter.count;
  }
  return {{"counters", std::move(object)}};
}

// Domain 0 is the host: it has no config, but libxl's shape shows it all the same.
nlohmann::ordered_json domain0_json(const toolstack::DomainSummary& domain) {
  const std::uint64_t kib = to_bytes(domain.info.memory).count() >> 10;
  const nlohmann::ordered_json about = {
      {"name", domain.name}, {"uuid", config::to_string(config::Uuid(domain.info.handle))}};
  const nlohmann::ordered_json build = {
      {"max_vcpus", domain.info.max_vcpus}, {"max_memkb", kib}, {"target_memkb", kib}};
  return {{"domid", 0}, {"config", {{"c_info", about}, {"b_info", build}}}};
}

}  // namespace

Answer<Reply> list_domains(Service& service, const Request&) {
  XL_TRY_ASSIGN(const std::vector<toolstack::DomainSummary> list, service.toolstack.list());
  std::vector<DomainView> views;
  views.reserve(list.size());
  for (const toolstack::DomainSummary& domain : list) {
    views.push_back(domain_view(domain));
  }
  Reply reply;
  reply.body = list_text(views);
  return reply;
}

Answer<Reply> get_domain(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY_ASSIGN(const toolstack::DomainSummary domain, service.toolstack.summary(id));
  return json_reply(to_json(domain_view(domain)));
}

Answer<Reply> domain_counters(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY_ASSIGN(const std::vector<hv::NamedCounter> counters, service.toolstack.counters(id));
  return json_reply(counters_json(counters));
}

Answer<Reply> host_counters(Service& service, const Request&) {
  XL_TRY_ASSIGN(const std::vector<hv::NamedCounter> counters,
                service.toolstack.counters(std::nullopt));
  return json_reply(counters_json(counters));
}

Answer<Reply> libxl_list(Service& service, const Request& request) {
  std::optional<DomId> only;
  if (const auto name = request.target.query.find("domain"); name != request.target.query.end()) {
    XL_TRY_ASSIGN(only, service.toolstack.find(name->second));
  }
  XL_TRY_ASSIGN(const std::vector<toolstack::DomainSummary> list, service.toolstack.list());
  nlohmann::ordered_json entries = nlohmann::ordered_json::array();
  for (const toolstack::DomainSummary& domain : list) {
    if (only && domain.info.id != *only) {
      continue;
    }
    if (domain.info.id == DomId(0)) {
      entries.push_back(domain0_json(domain));
    } else if (Result<config::DomainConfig> config = service.toolstack.config_of(domain.info.id)) {
      entries.push_back(config::to_libxl_json(*config, domain.info.id));
    }  // else it ended between the two questions
  }
  Reply reply;
  reply.body = entries.dump(4, ' ', false, json::error_handler_t::replace) + "\n";
  return reply;
}

}  // namespace xl::api
