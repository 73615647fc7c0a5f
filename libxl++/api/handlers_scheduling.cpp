// SPDX-License-Identifier: Apache-2.0
// Vcpus with their affinities, and the domains' shares of the CPUs.
#include <nlohmann/json.hpp>
#include <optional>

#include "libxl++/api/handlers.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/config/cpu_list.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

using nlohmann::json;

// "-" and nothing: leave it as it is.
Result<std::optional<config::CpuSet>> parse_set(const std::optional<std::string>& text) {
  if (!text || *text == "-") {
    return std::optional<config::CpuSet>();
  }
  XL_TRY_ASSIGN(const config::CpuSet set, config::parse_cpu_list(*text));
  return std::optional(set);
}

VcpuView view_of(const toolstack::VcpuSummary& vcpu, std::uint32_t host_cpus) {
  VcpuView view;
  view.domid = vcpu.domain.value();
  view.name = vcpu.name;
  view.vcpu = vcpu.info.id.value();
  view.online = vcpu.info.online;
  view.blocked = vcpu.info.blocked;
  view.running = vcpu.info.running;
  view.cpu = vcpu.info.cpu;
  view.cpu_time_ns = vcpu.info.cpu_time.count();
  view.hard_affinity = config::format_cpu_list(vcpu.info.hard_affinity, host_cpus);
  view.soft_affinity = config::format_cpu_list(vcpu.info.soft_affinity, host_cpus);
  return view;
}

Result<std::optional<DomId>> asked_domain(Service& service, const Request& request) {
  if (request.captured.empty()) {
    return std::optional<DomId>();
  }
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  return std::optional(id);
}

Answer<Reply> reply_of(const std::vector<toolstack::DomainShare>& shares) {
  json rows = json::array();
  for (const toolstack::DomainShare& share : shares) {
    rows.push_back(to_json(ShareView{share.domain.value(), share.name, share.parameters.weight,
                                     share.parameters.cap}));
  }
  return json_reply({{"domains", std::move(rows)}});
}

}  // namespace

Answer<Reply> list_vcpus(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const std::optional<DomId> id, asked_domain(service, request));
  XL_TRY_ASSIGN(const std::vector<toolstack::VcpuSummary> vcpus, service.toolstack.vcpus(id));
  std::uint32_t host_cpus = 0;
  if (!vcpus.empty()) {
    XL_TRY_ASSIGN(const hv::HostInfo host, service.toolstack.host_info());
    host_cpus = host.cpus;
  }
  json rows = json::array();
  for (const toolstack::VcpuSummary& vcpu : vcpus) {
    rows.push_back(to_json(view_of(vcpu, host_cpus)));
  }
  return json_reply({{"vcpus", std::move(rows)}});
}

Answer<Reply> pin_vcpus(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const json body, parse_json(request.body));
  XL_TRY_ASSIGN(const PinRequest asked, from_json<PinRequest>(body));
  XL_TRY_ASSIGN(std::optional<config::CpuSet> hard, parse_set(asked.hard));
  XL_TRY_ASSIGN(const std::optional<config::CpuSet> soft, parse_set(asked.soft));
  if (hard && !asked.ignore_host_masks) {
    XL_TRY_ASSIGN(const HostConfigFile::View host, service.host_config.read());
    XL_TRY_ASSIGN(hard, config::restrict_cpus(host.config, *hard));
  }
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  const auto vcpu = asked.vcpu ? std::optional(VcpuId(*asked.vcpu)) : std::nullopt;
  XL_TRY(service.toolstack.pin_vcpus(id, vcpu, hard, soft));
  return empty_reply();
}

Answer<Reply> get_scheduling(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const std::optional<DomId> id, asked_domain(service, request));
  XL_TRY_ASSIGN(const std::vector<toolstack::DomainShare> shares, service.toolstack.shares(id));
  return reply_of(shares);
}

Answer<Reply> set_scheduling(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const json body, parse_json(request.body));
  JsonReader reader(body, "scheduling request");
  std::optional<std::uint32_t> weight;
  std::optional<std::uint32_t> cap;
  reader.only({"weight", "cap"});
  reader.maybe("weight", weight);
  reader.maybe("cap", cap);
  XL_TRY(reader.check());
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY(service.toolstack.set_share(id, weight, cap));
  return empty_reply();
}

}  // namespace xl::api
