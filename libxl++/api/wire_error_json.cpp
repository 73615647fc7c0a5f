// SPDX-License-Identifier: Apache-2.0
// Errors on the wire, and JSON text itself.
#include <nlohmann/json.hpp>

#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {

using nlohmann::json;

json to_json(const WireError& wire) {
  const Error& error = wire.error;
  json object{{"code", to_string(error.code)},
              {"message", error.message},
              {"hint", error.hint},
              {"context", error.context}};
  if (!wire.rendered.empty()) {
    object["rendered"] = wire.rendered;
  }
  if (!wire.diagnostics.empty()) {
    object["diagnostics"] = json::parse(wire.diagnostics);
  }
  return {{"error", std::move(object)}};
}

template <>
Result<WireError> from_json(const json& value) {
  json object;
  JsonReader outer(value, "error answer");
  outer.need("error", object);
  XL_TRY(outer.check());
  JsonReader reader(object, "error");
  WireError wire;
  std::string code;
  reader.need("code", code);
  reader.need("message", wire.error.message);
  reader.maybe("hint", wire.error.hint);
  reader.maybe("context", wire.error.context);
  reader.maybe("rendered", wire.rendered);
  json findings;
  reader.maybe("diagnostics", findings);
  wire.diagnostics = findings.is_null() ? std::string() : dump(findings);
  wire.error.code = error_code_of(code);
  return reader.finish(std::move(wire));
}

ErrorCode error_code_of(std::string_view name) {
  for (int value = 0; value <= static_cast<int>(ErrorCode::internal); ++value) {
    if (to_string(static_cast<ErrorCode>(value)) == name) {
      return static_cast<ErrorCode>(value);
    }
  }
  return ErrorCode::internal;
}

namespace {

// Looked at first: the parser's own way to watch (a callback) costs as much again as it does.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      in_string = !in_string;
    } else if (in_string) {
      i += c == '\\' ? 1 : 0;
    } else if (c == '{' || c == '[') {
      if (++depth > max_nesting) {
        return true;
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<json> parse_json(std::string_view text) {
  if (is_too_deep(text)) {
    return fail(ErrorCode::protocol, "the JSON is nested too deep");
  }
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    return fail(ErrorCode::protocol, "not JSON, byte " + std::to_string(error.byte));
  }
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace xl::api
