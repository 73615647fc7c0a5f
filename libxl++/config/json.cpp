// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.hpp"
#include "libxl++/config/characters.hpp"
#include "libxl++/config/json_scheduling.hpp"

namespace xl::config {
namespace {

using Json = nlohmann::json;

std::uint64_t in_kib(Bytes size) {
  return size.count() >> 10;
}

Unexpected<Error> wrong(std::string_view member, std::string_view expected) {
  return fail(ErrorCode::invalid_config, fmt::format("{}: {} expected", member, expected));
}

// Reads `member` of an object into `target`, which keeps its value if there is no such member.
Result<void> read(const Json& object, const char* member, std::string& target) {
  const auto at = object.find(member);
  if (at == object.end()) return {};
  if (!at->is_string()) return wrong(member, "string");
  target = at->get_ref<const std::string&>();
  return {};
}

Result<void> read(const Json& object, const char* member, bool& target) {
  const auto at = object.find(member);
  if (at == object.end()) return {};
  if (!at->is_boolean()) return wrong(member, "boolean");
  target = at->get<bool>();
  return {};
}

Result<void> read(const Json& object, const char* member, std::uint64_t limit,
                  std::uint64_t& target) {
  const auto at = object.find(member);
  if (at == object.end()) return {};
  // A number that a program put there may be signed.
  const bool natural =
      at->is_number_unsigned() || (at->is_number_integer() && at->get<std::int64_t>() >= 0);
  if (!natural || at->get<std::uint64_t>() > limit) {
    return wrong(member, fmt::format("whole number from 0 to {}", limit));
  }
  target = at->get<std::uint64_t>();
  return {};
}

Result<void> read(const Json& object, const char* member, std::uint32_t& target) {
  std::uint64_t number = target;
  XL_TRY(read(object, member, std::numeric_limits<std::uint32_t>::max(), number));
  target = static_cast<std::uint32_t>(number);
  return {};
}

Result<void> read_kib(const Json& object, const char* member, Bytes& target) {
  std::uint64_t count = in_kib(target);
  XL_TRY(read(object, member, in_kib(max_memory_limit), count));
  target = kib(count);
  return {};
}

Result<void> read(const Json& object, const char* member, ShutdownAction& target) {
  std::string text(to_string(target));
  XL_TRY(read(object, member, text));
  const std::optional<ShutdownAction> action = parse_shutdown_action(text);
  if (!action) return wrong(member, "an action of xl.cfg(5)");
  target = *action;
  return {};
}

Result<void> read(const Json& object, const char* member, std::optional<Uuid>& target) {
  std::string text;
  XL_TRY(read(object, member, text));
  if (!object.contains(member)) return {};
  Result<Uuid> uuid = Uuid::parse(text);
  if (!uuid) {
    return fail(ErrorCode::invalid_config, fmt::format("{}: {}", member, uuid.error().message),
                uuid.error().hint);
  }
  target = *uuid;
  return {};
}

template <std::size_t N>
Result<void> check_members(const Json& object, const std::array<std::string_view, N>& known) {
  if (!object.is_object()) return fail(ErrorCode::invalid_config, "object expected");
  for (const auto& [member, value] : object.items()) {
    if (std::find(known.begin(), known.end(), member) == known.end()) {
      return fail(ErrorCode::invalid_config, fmt::format("unknown member '{}'", printable(member)));
    }
  }
  return {};
}

constexpr std::array<std::string_view, 16> config_members = {
    "name",           "uuid",          "kernel",    "ramdisk",     "command_line", "memory_kib",
    "max_memory_kib", "vcpus",         "max_vcpus", "on_poweroff", "on_reboot",    "on_watchdog",
    "on_crash",       "on_soft_reset", "acpi",      "scheduling"};
constexpr std::array<std::string_view, 9> diagnostic_members = {
    "severity", "file", "line", "column", "length", "message", "hint", "rule", "snippet"};
constexpr std::array<std::string_view, 3> snippet_members = {"text", "caret", "width"};

Result<Snippet> snippet_from_json(const Json& json) {
  XL_TRY(check_members(json, snippet_members));
  Snippet snippet;
  XL_TRY(read(json, "text", snippet.text));
  XL_TRY(read(json, "caret", snippet.caret));
  XL_TRY(read(json, "width", snippet.width));
  return snippet;
}

}  // namespace

Json to_json(const DomainConfig& config) {
  Json json = {{"name", config.name},
               {"kernel", config.kernel},
               {"ramdisk", config.ramdisk},
               {"command_line", config.command_line},
               {"memory_kib", in_kib(config.memory)},
               {"max_memory_kib", in_kib(config.max_memory)},
               {"vcpus", config.vcpus},
               {"max_vcpus", config.max_vcpus},
               {"on_poweroff", to_string(config.on_poweroff)},
               {"on_reboot", to_string(config.on_reboot)},
               {"on_watchdog", to_string(config.on_watchdog)},
               {"on_crash", to_string(config.on_crash)},
               {"on_soft_reset", to_string(config.on_soft_reset)},
               {"acpi", config.acpi}};
  if (config.uuid) json["uuid"] = to_string(*config.uuid);
  if (config.scheduling != Scheduling()) json["scheduling"] = to_json(config.scheduling);
  return json;
}

Result<DomainConfig> domain_config_from_json(const Json& json) {
  XL_TRY(check_members(json, config_members));
  DomainConfig config;
  XL_TRY(read(json, "name", config.name));
  XL_TRY(read(json, "uuid", config.uuid));
  XL_TRY(read(json, "kernel", config.kernel));
  XL_TRY(read(json, "ramdisk", config.ramdisk));
  XL_TRY(read(json, "command_line", config.command_line));
  XL_TRY(read_kib(json, "memory_kib", config.memory));
  config.max_memory = config.memory;
  XL_TRY(read_kib(json, "max_memory_kib", config.max_memory));
  XL_TRY(read(json, "vcpus", config.vcpus));
  config.max_vcpus = config.vcpus;
  XL_TRY(read(json, "max_vcpus", config.max_vcpus));
  XL_TRY(read(json, "on_poweroff", config.on_poweroff));
  XL_TRY(read(json, "on_reboot", config.on_reboot));
  XL_TRY(read(json, "on_watchdog", config.on_watchdog));
  XL_TRY(read(json, "on_crash", config.on_crash));
  XL_TRY(read(json, "on_soft_reset", config.on_soft_reset));
  XL_TRY(read(json, "acpi", config.acpi));
  if (json.contains("scheduling")) {
    XL_TRY_ASSIGN(config.scheduling, scheduling_from_json(json["scheduling"]));
  }
  XL_TRY(validate(config));
  return config;
}

Json to_json(const Diagnostic& diagnostic) {
  const Location& location = diagnostic.location;
  const Snippet& snippet = diagnostic.snippet;
  return {
      {"severity", to_string(diagnostic.severity)},
      {"file", location.file},
      {"line", location.line},
      {"column", location.column},
      {"length", location.length},
      {"message", diagnostic.message},
      {"hint", diagnostic.hint},
      {"rule", to_string(diagnostic.rule)},
      {"snippet", {{"text", snippet.text}, {"caret", snippet.caret}, {"width", snippet.width}}}};
}

Result<Diagnostic> diagnostic_from_json(const Json& json) {
  XL_TRY(check_members(json, diagnostic_members));
  Diagnostic diagnostic;
  std::string severity;
  XL_TRY(read(json, "severity", severity));
  if (severity != "error" && severity != "warning") return wrong("severity", "error or warning");
  diagnostic.severity = severity == "error" ? Severity::error : Severity::warning;
  XL_TRY(read(json, "file", diagnostic.location.file));
  XL_TRY(read(json, "line", diagnostic.location.line));
  XL_TRY(read(json, "column", diagnostic.location.column));
  XL_TRY(read(json, "length", diagnostic.location.length));
  XL_TRY(read(json, "message", diagnostic.message));
  XL_TRY(read(json, "hint", diagnostic.hint));
  std::string rule(to_string(diagnostic.rule));
  XL_TRY(read(json, "rule", rule));
  const auto* const known = std::find_if(std::begin(all_rules), std::end(all_rules),
                                         [&](Rule one) { return to_string(one) == rule; });
  if (known == std::end(all_rules)) return wrong("rule", "one of the rules");
  diagnostic.rule = *known;
  if (json.contains("snippet")) {
    XL_TRY_ASSIGN(diagnostic.snippet, snippet_from_json(json["snippet"]));
  }
  return diagnostic;
}

}  // namespace xl::config
