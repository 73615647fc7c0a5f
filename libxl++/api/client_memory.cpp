// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "libxl++/api/client.hpp"
#include "libxl++/api/client_answer.hpp"
#include "libxl++/api/http_text.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {
namespace {

std::string memory_target(std::string_view domain) {
  return "/v1/domains/" + percent_encode(domain) + "/memory";
}

Answer<MemoryView> view_of(const Answer<HttpResponse>& response) {
  if (!response) {
    return Unexpected(response.error());
  }
  XL_TRY_ASSIGN(const nlohmann::json body, as_answer(parse_json(response->body)));
  XL_TRY_ASSIGN(const MemoryView view, as_answer(from_json<MemoryView>(body)));
  return view;
}

}  // namespace

Answer<MemoryView> Client::memory(std::string_view domain) {
  return view_of(call("GET", memory_target(domain)));
}

Answer<MemoryView> Client::set_memory(std::string_view domain, const MemoryRequest& request) {
  return view_of(call("POST", memory_target(domain), dump(to_json(request))));
}

}  // namespace xl::api
