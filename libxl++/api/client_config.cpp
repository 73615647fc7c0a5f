// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "libxl++/api/client.hpp"
#include "libxl++/api/client_answer.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {

using nlohmann::json;

Answer<ConvertedView> Client::convert(const ConvertRequest& request) {
  XL_TRY_ASSIGN(const HttpResponse answer, call("POST", "/v1/convert", dump(to_json(request))));
  XL_TRY_ASSIGN(const json body, as_answer(parse_json(answer.body)));
  XL_TRY_ASSIGN(ConvertedView view, as_answer(from_json<ConvertedView>(body)));
  return view;
}

Answer<ValidatedView> Client::validate(const ValidateRequest& request) {
  XL_TRY_ASSIGN(const HttpResponse answer, call("POST", "/v1/validate", dump(to_json(request))));
  XL_TRY_ASSIGN(const json body, as_answer(parse_json(answer.body)));
  XL_TRY_ASSIGN(ValidatedView view, as_answer(from_json<ValidatedView>(body)));
  return view;
}

}  // namespace xl::api
