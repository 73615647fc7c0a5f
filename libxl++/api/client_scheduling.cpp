// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "libxl++/api/client.hpp"
#include "libxl++/api/client_answer.hpp"
#include "libxl++/api/http_text.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {
namespace {

std::string target(const char* all, std::optional<std::string_view> domain, const char* rest) {
  return domain ? "/v1/domains/" + percent_encode(*domain) + rest : std::string(all);
}

template <typename View>
Answer<std::vector<View>> rows_of(const Answer<HttpResponse>& response, const char* member) {
  if (!response) {
    return Unexpected(response.error());
  }
  XL_TRY_ASSIGN(const nlohmann::json body, as_answer(parse_json(response->body)));
  JsonReader reader(body, "list");
  nlohmann::json list;
  reader.need(member, list);
  XL_TRY(reader.check());
  std::vector<View> rows;
  for (const nlohmann::json& item : list) {
    XL_TRY_ASSIGN(View row, as_answer(from_json<View>(item)));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

Answer<std::vector<VcpuView>> Client::vcpus(std::optional<std::string_view> domain) {
  return rows_of<VcpuView>(call("GET", target("/v1/vcpus", domain, "/vcpus")), "vcpus");
}

Answer<void> Client::pin(std::string_view domain, const PinRequest& request) {
  XL_TRY(call("POST", target("", domain, "/affinity"), dump(to_json(request))));
  return {};
}

Answer<std::vector<ShareView>> Client::scheduling(std::optional<std::string_view> domain) {
  return rows_of<ShareView>(call("GET", target("/v1/scheduling", domain, "/scheduling")),
                            "domains");
}

Answer<void> Client::set_scheduling(std::string_view domain, std::optional<std::uint32_t> weight,
                                    std::optional<std::uint32_t> cap) {
  nlohmann::json body = nlohmann::json::object();
  if (weight) {
    body["weight"] = *weight;
  }
  if (cap) {
    body["cap"] = *cap;
  }
  XL_TRY(call("POST", target("", domain, "/scheduling"), dump(body)));
  return {};
}

}  // namespace xl::api
