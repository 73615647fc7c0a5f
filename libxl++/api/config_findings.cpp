// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/config_findings.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "libxl++/api/wire_json.hpp"
#include "libxl++/config/json.hpp"

namespace xl::api {

using nlohmann::json;

namespace {

ErrorId id_of_rule(config::Rule rule) {
  switch (rule) {
    case config::Rule::syntax: return ErrorId::config_syntax;
    case config::Rule::key: return ErrorId::config_unknown_key;
    case config::Rule::unsupported: return ErrorId::config_unsupported;
    case config::Rule::value: return ErrorId::config_value;
    case config::Rule::contradiction: return ErrorId::config_contradiction;
    case config::Rule::device: return ErrorId::config_device;
    case config::Rule::missing: return ErrorId::config_incomplete;
  }
  return ErrorId::config_value;
}

}  // namespace

WireError refusal(const std::vector<config::Diagnostic>& findings) {
  const auto first =
      std::find_if(findings.begin(), findings.end(), [](const config::Diagnostic& finding) {
        return finding.severity == config::Severity::error;
      });
  json list = json::array();
  for (const config::Diagnostic& finding : findings) {
    list.push_back(config::to_json(finding));
  }
  WireError error(
      first == findings.end()
          ? Error{ErrorCode::internal, "the config was refused without a reason", {}, {}}
          : make_error(id_of_rule(first->rule), config::summary(*first), first->hint),
      config::render(findings));
  error.diagnostics = dump(list);
  if (first != findings.end()) {
    const config::Location& place = first->location;
    error.location = PlaceView{place.file, place.line, place.column};
  }
  error.error.phase = "config";
  return error;
}

}  // namespace xl::api
