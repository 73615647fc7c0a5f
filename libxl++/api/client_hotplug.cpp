// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "libxl++/api/client.hpp"
#include "libxl++/api/client_answer.hpp"
#include "libxl++/api/http_text.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {
namespace {

std::string target(std::string_view domain, std::string_view rest) {
  return "/v1/domains/" + percent_encode(domain) + std::string(rest);
}

}  // namespace

Answer<VcpusView> Client::set_vcpus(std::string_view domain, const VcpusRequest& request) {
  const nlohmann::json body = {{"vcpus", request.vcpus},
                               {"ignore_host", request.ignore_host},
                               {"timeout_ms", request.timeout_ms}};
  XL_TRY_ASSIGN(const HttpResponse response, call("POST", target(domain, "/vcpus"), dump(body)));
  XL_TRY_ASSIGN(const nlohmann::json answer, as_answer(parse_json(response.body)));
  JsonReader reader(answer, "vcpu state");
  VcpusView view;
  reader.need("online", view.online);
  reader.need("max", view.max);
  XL_TRY(reader.check());
  return view;
}

Answer<void> Client::trigger(std::string_view domain, std::string_view name, std::uint32_t vcpu) {
  const nlohmann::json body = {{"trigger", std::string(name)}, {"vcpu", vcpu}};
  XL_TRY(call("POST", target(domain, "/trigger"), dump(body)));
  return {};
}

}  // namespace xl::api
