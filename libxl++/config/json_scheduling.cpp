// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/json_scheduling.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "libxl++/config/characters.hpp"

namespace xl::config {
namespace {

using Json = nlohmann::json;

Json texts(const std::vector<CpuSet>& sets) {
  Json list = Json::array();
  for (const CpuSet& set : sets) list.push_back(format_cpu_list(set));
  return list;
}

Unexpected<Error> wrong(std::string_view member, std::string_view why) {
  return fail(ErrorCode::invalid_config, fmt::format("scheduling: {}: {}", member, why));
}

Result<void> read_number(const Json& value, const std::string& member, std::uint32_t& target) {
  const bool natural =
      value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
  if (!natural || value.get<std::uint64_t>() > max_weight) {
    return wrong(member, fmt::format("whole number from 0 to {} expected", max_weight));
  }
  target = value.get<std::uint32_t>();
  return {};
}

Result<void> read_sets(const Json& value, const std::string& member, std::vector<CpuSet>& target) {
  if (!value.is_array()) return wrong(member, "array expected");
  for (const Json& item : value) {
    if (!item.is_string()) return wrong(member, "string expected");
    const Result<CpuSet> set = parse_cpu_list(item.get_ref<const std::string&>());
    if (!set) return wrong(member, set.error().message);
    target.push_back(*set);
  }
  return {};
}

}  // namespace

Json to_json(const Scheduling& scheduling) {
  return {{"weight", scheduling.weight},
          {"cap", scheduling.cap},
          {"cpus", texts(scheduling.cpus)},
          {"cpus_soft", texts(scheduling.cpus_soft)}};
}

Result<Scheduling> scheduling_from_json(const Json& json) {
  if (!json.is_object()) return wrong("value", "object expected");
  Scheduling scheduling;
  for (const auto& [member, value] : json.items()) {
    if (member == "weight") {
      XL_TRY(read_number(value, member, scheduling.weight));
    } else if (member == "cap") {
      XL_TRY(read_number(value, member, scheduling.cap));
    } else if (member == "cpus") {
      XL_TRY(read_sets(value, member, scheduling.cpus));
    } else if (member == "cpus_soft") {
      XL_TRY(read_sets(value, member, scheduling.cpus_soft));
    } else {
      return wrong(printable(member), "unknown member");
    }
  }
  return scheduling;
}

}  // namespace xl::config
