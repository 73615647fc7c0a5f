// SPDX-License-Identifier: Apache-2.0
// Config files, and what is asked about them without making a domain.
#include <nlohmann/json.hpp>

#include "libxl++/api/base64.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/utf8.hpp"
#include "libxl++/api/wire_config.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {

using nlohmann::json;

json config_file_json(const ConfigFile& file) {
  json config{{"name", to_utf8(file.name)}};
  if (is_utf8(file.text)) {
    config["text"] = file.text;
  } else {
    config["text_base64"] = base64_encode(file.text);
  }
  return config;
}

Result<ConfigFile> config_file_of(const json& value) {
  JsonReader reader(value, "config");
  reader.only({"name", "text", "text_base64"});
  ConfigFile file;
  std::optional<std::string> text;
  std::optional<std::string> encoded;
  reader.need("name", file.name);
  reader.maybe("text", text);
  reader.maybe("text_base64", encoded);
  XL_TRY(reader.check());
  if (text.has_value() == encoded.has_value()) {
    return fail(ErrorId::bad_request, "config: needs either 'text' or 'text_base64'");
  }
  if (encoded) {
    text = base64_decode(*encoded);
    if (!text) {
      return fail(ErrorId::bad_request, "config: 'text_base64' is not base64");
    }
  }
  file.text = std::move(*text);
  return file;
}

json to_json(const ConvertRequest& request) {
  json object{{"config", config_file_json(request.config)}, {"to", request.to}};
  if (request.from) {
    object["from"] = *request.from;
  }
  return object;
}

template <>
Result<ConvertRequest> from_json(const json& value) {
  JsonReader reader(value, "convert request");
  reader.only({"config", "to", "from"});
  ConvertRequest request;
  json config;
  reader.need("config", config);
  reader.need("to", request.to);
  reader.maybe("from", request.from);
  XL_TRY(reader.check());
  XL_TRY_ASSIGN(request.config, config_file_of(config));
  return request;
}

json to_json(const ConvertedView& view) {
  return {{"text", view.text}, {"rendered_warnings", view.rendered_warnings}};
}

template <>
Result<ConvertedView> from_json(const json& value) {
  JsonReader reader(value, "converted config");
  ConvertedView view;
  reader.need("text", view.text);
  reader.maybe("rendered_warnings", view.rendered_warnings);
  return reader.finish(std::move(view));
}

json to_json(const ValidateRequest& request) {
  json configs = json::array();
  for (const ConfigFile& config : request.configs) {
    configs.push_back(config_file_json(config));
  }
  return {{"configs", std::move(configs)}, {"strict", request.strict}, {"sarif", request.sarif}};
}

template <>
Result<ValidateRequest> from_json(const json& value) {
  JsonReader reader(value, "validate request");
  reader.only({"configs", "strict", "sarif"});
  ValidateRequest request;
  json configs;
  reader.need("configs", configs);
  reader.maybe("strict", request.strict);
  reader.maybe("sarif", request.sarif);
  XL_TRY(reader.check());
  if (!configs.is_array() || configs.empty()) {
    return fail(ErrorId::bad_request, "validate request has a wrong 'configs'");
  }
  for (const json& config : configs) {
    XL_TRY_ASSIGN(ConfigFile file, config_file_of(config));
    request.configs.push_back(std::move(file));
  }
  return request;
}

template <>
Result<ValidatedView> from_json(const json& value) {
  JsonReader reader(value, "validated configs");
  ValidatedView view;
  json diagnostics;
  json sarif;
  reader.need("valid", view.valid);
  reader.need("rendered", view.rendered);
  reader.need("diagnostics", diagnostics);
  reader.maybe("sarif", sarif);
  view.diagnostics = diagnostics.dump(4, ' ', false, json::error_handler_t::replace);
  view.sarif = sarif.is_null() ? "" : sarif.dump(2, ' ', false, json::error_handler_t::replace);
  return reader.finish(std::move(view));
}

}  // namespace xl::api
