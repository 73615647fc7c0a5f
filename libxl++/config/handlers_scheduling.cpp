// SPDX-License-Identifier: Apache-2.0
// cpus=, cpus_soft=, cpu_weight=, cap=.
#include <fmt/format.h>

#include "libxl++/config/handlers.hpp"
#include "libxl++/config/values.hpp"

namespace xl::config {
namespace {

constexpr Range weight_range{1, max_weight};
constexpr Range cap_range{0, max_cap};

void set_cpus_of(const Assignment& assignment, Draft& draft, std::optional<SitedCpus>& target) {
  const Value& value = assignment.value;
  const bool list = value.kind == Value::Kind::list;
  SitedCpus sets{{}, !list, value.span};
  for (const Value& item : list ? std::span(value.items) : std::span(&value, 1)) {
    if (item.kind == Value::Kind::list) {
      draft.findings.error(item.span,
                           fmt::format("'{}' takes strings, not lists in a list", assignment.key));
      return;
    }
    const Result<CpuSet> set = parse_cpu_list(item.text);
    if (!set) {
      draft.findings.error(item.span, fmt::format("'{}': {}", assignment.key, set.error().message),
                           set.error().hint);
      return;
    }
    sets.value.push_back(*set);
  }
  target = std::move(sets);
}

void finish_cpus(Draft& draft, const char* key, const std::optional<SitedCpus>& given,
                 std::vector<CpuSet>& target) {
  if (!given) return;
  const std::uint32_t vcpus = draft.config.max_vcpus;
  target = given->value;
  if (given->for_all) {
    target.resize(vcpus, given->value.front());
  } else if (target.size() > vcpus) {
    draft.findings.error(Rule::contradiction, given->span,
                         fmt::format("'{}' has {} entries, and the domain {} vcpu{} at most", key,
                                     target.size(), vcpus, vcpus == 1 ? "" : "s"),
                         "there is one for each vcpu: remove the rest, or raise maxvcpus");
    target.resize(vcpus);
  }
}

}  // namespace

void set_cpus(const Assignment& assignment, Draft& draft) {
  set_cpus_of(assignment, draft, draft.cpus);
}

void set_cpus_soft(const Assignment& assignment, Draft& draft) {
  set_cpus_of(assignment, draft, draft.cpus_soft);
}

void set_cpu_weight(const Assignment& assignment, Draft& draft) {
  if (const auto weight = read_number(assignment, weight_range, draft.findings)) {
    draft.devices.said.weight = true;
    draft.config.scheduling.weight = static_cast<std::uint32_t>(*weight);
  }
}

void set_cap(const Assignment& assignment, Draft& draft) {
  if (const auto cap = read_number(assignment, cap_range, draft.findings)) {
    draft.devices.said.cap = true;
    draft.config.scheduling.cap = static_cast<std::uint32_t>(*cap);
  }
}

void finish_scheduling(Draft& draft) {
  draft.devices.said.no_numa_placement = (draft.cpus && !draft.cpus->for_all) || draft.cpus_soft;
  finish_cpus(draft, "cpus", draft.cpus, draft.config.scheduling.cpus);
  finish_cpus(draft, "cpus_soft", draft.cpus_soft, draft.config.scheduling.cpus_soft);
}

}  // namespace xl::config
