// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <type_traits>

#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {

using nlohmann::json;

namespace {

// The members of a domain by name, once for all who read and write them.
template <typename View, typename Visit>
void visit_members(View& view, Visit&& visit) {
  visit("domid", view.domid);
  visit("name", view.name);
  visit("uuid", view.uuid);
  visit("running", view.running);
  visit("blocked", view.blocked);
  visit("paused", view.paused);
  visit("dying", view.dying);
  visit("shutdown_reason", view.shutdown_reason);
  visit("memory_kib", view.memory_kib);
  visit("max_memory_kib", view.max_memory_kib);
  visit("cpu_time_ns", view.cpu_time_ns);
  visit("vcpus_online", view.vcpus_online);
  visit("max_vcpus", view.max_vcpus);
  visit("overhead_bytes", view.overhead_bytes);
  visit("created_ms", view.created_ms);
  visit("booted", view.booted);
}

template <typename T>
const T& as_json(const T& value) {
  return value;
}
template <typename T>
json as_json(const std::optional<T>& value) {
  return optional_json(value);
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

void append(std::string& out, const std::string& text) {
  out += is_plain(text) ? '"' + text + '"' : dump(text);
}
void append(std::string& out, const std::optional<std::string>& text) {
  text ? append(out, *text) : static_cast<void>(out += "null");
}
void append(std::string& out, bool flag) {
  out += flag ? "true" : "false";
}
template <std::integral T>
void append(std::string& out, T number) {
  std::array<char, 24> digits;
  out.append(digits.data(),
             std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

}  // namespace

json to_json(const DomainView& view) {
  json object = json::object();
  visit_members(view, [&object](const char* name, const auto& value) {
    object.emplace(name, as_json(value));
  });
  return object;
}

// Text at once: as a tree, a thousand domains are some thirty thousand allocations.
std::string list_text(std::span<const DomainView> domains) {
  std::string out = "{\"domains\":[";
  for (const DomainView& view : domains) {
    out += out.back() == '[' ? "{" : ",{";
    visit_members(view, [&out](const char* name, const auto& value) {
      out += out.back() == '{' ? "\"" : ",\"";
      out += name;
      out += "\":";
      append(out, value);
    });
    out += '}';
  }
  out += "]}";
  return out;
}

template <>
Result<DomainView> from_json(const json& value) {
  JsonReader reader(value, "domain");
  DomainView view;
  visit_members(view, [&reader]<typename T>(const char* name, T& member) {
    if constexpr (std::is_same_v<T, std::optional<std::string>>) {
      reader.maybe(name, member);
    } else {
      reader.need(name, member);
    }
  });
  return reader.finish(std::move(view));
}

}  // namespace xl::api
