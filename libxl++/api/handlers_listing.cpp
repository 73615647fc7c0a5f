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

Result<nlohmann::ordered_json> listed(Service& service, DomId id, const std::string& scheduler) {
  XL_TRY_ASSIGN(const toolstack::LibxlListing listing, service.toolstack.libxl_listing(id));
  config::LibxlUpdate now{
      listing.name, listing.max_memory, listing.memory, listing.vcpus, scheduler, {}, {}};
  if (listing.share) {
    now.weight = listing.share->weight;
    now.cap = listing.share->cap;
  }
  return config::to_listed_libxl_json(listing.stored, id, now);
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
  XL_TRY_ASSIGN(
      const toolstack::DomainSummary domain,
      ask_captured(service, request, [&](DomId id) { return service.toolstack.summary(id); }));
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
  hv::HostInfo host;
  if (service.toolstack.hypervisor_running()) {
    XL_TRY_ASSIGN(host, service.toolstack.host_info());
  }
  nlohmann::ordered_json entries = nlohmann::ordered_json::array();
  for (const toolstack::DomainSummary& domain : list) {
    if (only && domain.info.id != *only) {
      continue;
    }
    if (auto entry = listed(service, domain.info.id, host.scheduler)) {
      entries.push_back(std::move(entry).value());
    }  // else it ended between the two questions
  }
  Reply reply;
  reply.body = entries.dump(4, ' ', false, json::error_handler_t::replace) + "\n";
  return reply;
}

}  // namespace xl::api
