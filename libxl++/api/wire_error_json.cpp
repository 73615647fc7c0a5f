// SPDX-License-Identifier: Apache-2.0
// Errors on the wire, and JSON text itself.
#include <nlohmann/json.hpp>

#include "base/errors/catalogue.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {

using nlohmann::json;

json to_json(const WireError& wire) {
  const Error& error = wire.error;
  json object{{"code", to_string(error.code)},
              {"id", to_string(id_of(error))},
              {"message", error.message},
              {"hint", error.hint},
              {"context", error.context}};
  if (!error.phase.empty()) {
    object["phase"] = error.phase;
  }
  if (wire.location) {
    object["location"] = {{"file", wire.location->file},
                          {"line", wire.location->line},
                          {"column", wire.location->column}};
  }
  if (!wire.rendered.empty()) {
    object["rendered"] = wire.rendered;
  }
  if (!wire.diagnostics.empty()) {
    object["diagnostics"] = json::parse(wire.diagnostics);
  }
  return {{"error", std::move(object)}};
}

namespace {

Result<std::optional<PlaceView>> location_of(const json& error) {
  std::optional<PlaceView> place;
  if (error.contains("location")) {
    JsonReader reader(error["location"], "location");
    place.emplace();
    reader.need("file", place->file);
    reader.need("line", place->line);
    reader.need("column", place->column);
    XL_TRY(reader.check());
  }
  return place;
}

}  // namespace

template <>
Result<WireError> from_json(const json& value) {
  json object;
  JsonReader outer(value, "error answer");
  outer.need("error", object);
  XL_TRY(outer.check());
  JsonReader reader(object, "error");
  WireError wire;
  std::string code;
  std::string id;
  reader.need("code", code);
  reader.need("message", wire.error.message);
  reader.maybe("hint", wire.error.hint);
  reader.maybe("context", wire.error.context);
  reader.maybe("id", id);
  reader.maybe("phase", wire.error.phase);
  reader.maybe("rendered", wire.rendered);
  json findings;
  reader.maybe("diagnostics", findings);
  XL_TRY(reader.check());
  wire.diagnostics = findings.is_null() ? std::string() : dump(findings);
  wire.error.code = error_code_of(code);
  // A newer xld may know more of them.
  if (const errors::ErrorRow* row = errors::find_row(id)) {
    wire.error.id = row->id;
  }
  XL_TRY_ASSIGN(wire.location, location_of(object));
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
    return fail(ErrorId::bad_request, "the JSON is nested too deep");
  }
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    return fail(ErrorId::bad_request, "not JSON, byte " + std::to_string(error.byte));
  }
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace xl::api
