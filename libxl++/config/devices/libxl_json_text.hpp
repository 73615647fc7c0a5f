// SPDX-License-Identifier: Apache-2.0
// How libxl prints members: those at their default are left out, a libxl_defbool is "True" or
// "False", an int that serves as a flag is 1. For the .cpp files that make libxl's JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace xl::config::libxl_json {

using Json = nlohmann::ordered_json;

inline void add_text(Json& json, const char* member, const std::string& text) {
  if (!text.empty()) json[member] = text;
}

inline void add_default_bool(Json& json, const char* member, std::optional<bool> value) {
  if (value) json[member] = *value ? "True" : "False";
}

inline void add_bool(Json& json, const char* member, bool value) {
  if (value) json[member] = true;
}

inline void add_flag(Json& json, const char* member, bool value) {
  if (value) json[member] = 1;
}

template <typename Number>
void add_number(Json& json, const char* member, Number number) {
  if (number != 0) json[member] = number;
}

inline void add_devid(Json& json, std::optional<std::uint32_t> devid) {
  if (devid) json["devid"] = *devid;
}

}  // namespace xl::config::libxl_json
