// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>

#include "libxl++/api/client.hpp"
#include "libxl++/api/client_answer.hpp"
#include "libxl++/api/http_text.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/utf8.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {

Answer<ParsedDevice> Client::parse_device(std::string_view kind,
                                          const std::vector<std::string>& words) {
  if (!std::all_of(words.begin(), words.end(), [](const std::string& w) { return is_utf8(w); })) {
    return fail(ErrorCode::invalid_argument, "the specification is not UTF-8 text");
  }
  XL_TRY_ASSIGN(const HttpResponse response, call("POST", "/v1/parse/" + percent_encode(kind),
                                                  dump(nlohmann::json{{"words", words}})));
  // The order of libxl's members is part of the answer.
  const auto body = nlohmann::ordered_json::parse(response.body, nullptr, false);
  const auto device = body.is_object() ? body.find("device") : body.end();
  const auto warnings = body.is_object() ? body.find("rendered_warnings") : body.end();
  if (device == body.end() || warnings == body.end() || !warnings->is_string()) {
    return fail(ErrorId::daemon_bad_answer, "the parsed device is not what was expected");
  }
  return ParsedDevice{device->dump(4), warnings->get<std::string>()};
}

Answer<std::string> Client::parse_cpumap(const std::string& hard,
                                         const std::optional<std::string>& soft) {
  nlohmann::json asked = {{"hard", to_utf8(hard)}};
  if (soft) {
    asked["soft"] = to_utf8(*soft);
  }
  XL_TRY_ASSIGN(const HttpResponse response, call("POST", "/v1/parse/cpumap", dump(asked)));
  XL_TRY_ASSIGN(const nlohmann::json body, as_answer(parse_json(response.body)));
  JsonReader reader(body, "parsed cpumap");
  std::string cpumap;
  reader.need("cpumap", cpumap);
  XL_TRY(reader.check());
  return cpumap;
}

}  // namespace xl::api
