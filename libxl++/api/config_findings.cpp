// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/config_findings.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "libxl++/api/wire_json.hpp"
#include "libxl++/config/json.hpp"

namespace xl::api {

using nlohmann::json;

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
          : make_error(ErrorId::config_wrong, config::summary(*first), first->hint),
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
