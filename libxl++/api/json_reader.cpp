// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/json_reader.hpp"

#include <algorithm>

namespace xl::api {

using nlohmann::json;

void JsonReader::only(std::initializer_list<std::string_view> known) {
  if (!object_.is_object()) {
    return;
  }
  for (const auto& [name, value] : object_.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      complain("has an unknown member '" + name + "'");
    }
  }
}

bool JsonReader::take(const json& value, std::string& out) {
  if (const auto* text = value.get_ptr<const json::string_t*>()) {
    out = *text;
    return true;
  }
  return false;
}

bool JsonReader::take(const json& value, bool& out) {
  if (const auto* flag = value.get_ptr<const json::boolean_t*>()) {
    out = *flag;
    return true;
  }
  return false;
}

bool JsonReader::take(const json& value, std::vector<std::string>& out) {
  if (!value.is_array()) {
    return false;
  }
  out.clear();
  return std::all_of(value.begin(), value.end(),
                     [&out](const json& entry) { return take(entry, out.emplace_back()); });
}

bool JsonReader::take(const json& value, json& out) {
  out = value;
  return true;
}

}  // namespace xl::api
