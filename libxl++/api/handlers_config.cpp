// SPDX-License-Identifier: Apache-2.0
// Questions about config files that touch no domain.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "libxl++/api/config_findings.hpp"
#include "libxl++/api/handlers.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/config/formats/convert.hpp"
#include "libxl++/config/json.hpp"
#include "libxl++/config/parse.hpp"
#include "libxl++/config/sarif.hpp"

namespace xl::api {
namespace {

using nlohmann::json;

Result<config::Format> read_format(const std::string& name) {
  if (const std::optional<config::Format> format = config::parse_format(name)) {
    return *format;
  }
  return fail(ErrorCode::invalid_argument, "'" + name.substr(0, 40) + "' is not a format",
              "write cfg, yaml, json or xml");
}

}  // namespace

Answer<Reply> convert_config(Service&, const Request& request) {
  XL_TRY_ASSIGN(const json body, parse_json(request.body));
  XL_TRY_ASSIGN(const ConvertRequest asked, from_json<ConvertRequest>(body));
  XL_TRY_ASSIGN(const config::Format to, read_format(asked.to));
  std::optional<config::Format> from;
  if (asked.from) {
    XL_TRY_ASSIGN(from, read_format(*asked.from));
  }
  const config::Converted converted =
      config::convert({asked.config.name, asked.config.text}, from, to);
  if (!converted.text) {
    return Unexpected(refusal(converted.diagnostics));
  }
  return json_reply(to_json(ConvertedView{*converted.text, config::render(converted.diagnostics)}));
}

Answer<Reply> validate_configs(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const json body, parse_json(request.body));
  XL_TRY_ASSIGN(const ValidateRequest asked, from_json<ValidateRequest>(body));
  std::vector<config::Diagnostic> findings;
  std::vector<std::string> files;
  for (const ConfigFile& file : asked.configs) {
    files.push_back(file.name);
    config::Parsed parsed = config::parse_domain_config({file.name, file.text}, {},
                                                        {.strict = asked.strict, .dry_run = true});
    std::move(parsed.diagnostics.begin(), parsed.diagnostics.end(), std::back_inserter(findings));
  }
  json list = json::array();
  for (const config::Diagnostic& finding : findings) {
    list.push_back(config::to_json(finding));
  }
  json answer{{"valid", !config::has_errors(findings)},
              {"rendered", config::render(findings)},
              {"diagnostics", std::move(list)}};
  if (asked.sarif) {
    answer["sarif"] =
        json::parse(config::to_sarif(files, findings, service.facts.version)
                        .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
  return json_reply(answer);
}

}  // namespace xl::api
