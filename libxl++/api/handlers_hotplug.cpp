// SPDX-License-Identifier: Apache-2.0
// Vcpus that come and go, and triggers.
#include <nlohmann/json.hpp>

#include "libxl++/api/handlers.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {

Answer<Reply> set_vcpus(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const nlohmann::json body, parse_json(request.body));
  JsonReader reader(body, "vcpu request");
  toolstack::VcpuRequest asked;
  reader.only({"vcpus", "ignore_host", "timeout_ms"});
  reader.need("vcpus", asked.vcpus);
  reader.maybe("ignore_host", asked.ignore_host);
  XL_TRY_ASSIGN(asked.timeout, read_timeout(reader, default_vcpus_timeout_ms));
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY_ASSIGN(const toolstack::VcpuState state,
                service.toolstack.set_vcpus(id, asked, request.cancel));
  return json_reply({{"online", state.online}, {"max", state.max}});
}

Answer<Reply> trigger_domain(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const nlohmann::json body, parse_json(request.body));
  JsonReader reader(body, "trigger request");
  std::string trigger;
  std::uint32_t vcpu = 0;
  reader.only({"trigger", "vcpu"});
  reader.need("trigger", trigger);
  reader.maybe("vcpu", vcpu);
  XL_TRY(reader.check());
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY(service.toolstack.send_trigger(id, trigger, VcpuId(vcpu)));
  return empty_reply();
}

}  // namespace xl::api
