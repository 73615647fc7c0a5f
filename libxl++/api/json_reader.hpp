// SPDX-License-Identifier: Apache-2.0
// JsonReader takes members out of an untrusted JSON object by type, remembers the first thing that
// was wrong and says it once at the end. Never throws. For the api's own .cpp files: includes
// nlohmann/json.hpp.
#pragma once

#include <concepts>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace xl::api {

ErrorCode error_code_of(std::string_view name);  // internal for an unknown name

template <typename T>
nlohmann::json optional_json(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

class JsonReader {
 public:
  // Borrows `object`; `what` names it in errors.
  JsonReader(const nlohmann::json& object, std::string_view what) : object_(object), what_(what) {
    if (!object.is_object()) {
      complain("is not an object");
    }
  }

  template <typename T>
  void need(const char* member, T& out) {
    read(member, out, true);
  }
  // Absent or null leaves `out` as it is.
  template <typename T>
  void maybe(const char* member, T& out) {
    read(member, out, false);
  }
  void only(std::initializer_list<std::string_view> known);

  Result<void> check() const {
    if (!complaint_.empty()) {
      return fail(ErrorId::bad_request, complaint_);
    }
    return {};
  }
  template <typename T>
  Result<T> finish(T value) const {
    XL_TRY(check());
    return value;
  }

 private:
  template <typename T>
  void read(const char* member, T& out, bool needed) {
    if (!complaint_.empty()) {
      return;
    }
    const auto found = object_.find(member);
    if (found == object_.end() || (found->is_null() && !needed)) {
      if (needed) {
        complain(std::string("lacks '") + member + "'");
      }
      return;
    }
    if (!take(*found, out)) {
      complain(std::string("has a wrong '") + member + "'");
    }
  }
  void complain(std::string_view text) {
    if (complaint_.empty()) {
      complaint_.append(what_).append(" ").append(text);
    }
  }

  static bool take(const nlohmann::json& value, std::string& out);
  static bool take(const nlohmann::json& value, bool& out);
  static bool take(const nlohmann::json& value, std::vector<std::string>& out);
  static bool take(const nlohmann::json& value, nlohmann::json& out);
  template <typename T>
  static bool take(const nlohmann::json& value, std::optional<T>& out) {
    return take(value, out.emplace());
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) static bool take(const nlohmann::json& value, T& out) {
    if (value.is_number_unsigned()) {
      const std::uint64_t number = value.get<std::uint64_t>();
      out = static_cast<T>(number);
      return std::in_range<T>(number);
    }
    if (value.is_number_integer()) {
      const std::int64_t number = value.get<std::int64_t>();
      out = static_cast<T>(number);
      return std::in_range<T>(number);
    }
    return false;
  }

  const nlohmann::json& object_;
  std::string what_;
  std::string complaint_;
};

}  // namespace xl::api
