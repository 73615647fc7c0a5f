// SPDX-License-Identifier: Apache-2.0
// Affinity, weight and cap. Xen's schedulers with weights are credit2 and credit.
#include <cerrno>
#include <vector>

#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

namespace xl::hv::xen {
namespace {

using Map = std::vector<std::uint8_t>;  // xc_cpumap_t's bytes

CpuSet to_set(const Map& map, unsigned cpus) {
  CpuSet set;
  for (unsigned cpu = 0; cpu < cpus && cpu < set.size() && cpu / 8 < map.size(); ++cpu) {
    set[cpu] = (map[cpu / 8] >> (cpu % 8) & 1) != 0;
  }
  return set;
}

Map to_map(const CpuSet& set, std::size_t bytes) {
  Map map(bytes);
  for (std::size_t cpu = 0; cpu < set.size() && cpu / 8 < bytes; ++cpu) {
    if (set[cpu]) {
      map[cpu / 8] = static_cast<std::uint8_t>(map[cpu / 8] | 1U << (cpu % 8));
    }
  }
  return map;
}

Unexpected<Error> no_weights(const std::string& scheduler) {
  return fail(ErrorCode::not_supported,
              "Xen runs the scheduler " + scheduler + ", which knows no weight and no cap",
              "boot Xen with sched=credit2");
}

}  // namespace

Result<void> XenHypervisor::read_affinity(DomId domain, VcpuId vcpu, VcpuInfo& info) const {
  const Listening listening;
  const int bytes = xc_get_cpumap_size(xc());
  const int cpus = xc_get_max_cpus(xc());
  if (bytes <= 0 || cpus <= 0) {
    return listening.failure("telling how many CPUs there are");
  }
  Map hard(static_cast<std::size_t>(bytes));
  Map soft(hard.size());
  if (xc_vcpu_getaffinity(xc(), domain.value(), static_cast<int>(vcpu.value()), hard.data(),
                          soft.data(), XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT) != 0) {
    return vcpu_failure(listening, domain, vcpu, "telling the affinity of a vcpu");
  }
  info.hard_affinity = to_set(hard, host_.info.cpus);
  info.soft_affinity = to_set(soft, host_.info.cpus);
  return {};
}

Result<void> XenHypervisor::set_vcpu_affinity(DomId domain, VcpuId vcpu, std::optional<CpuSet> hard,
                                              std::optional<CpuSet> soft) {
  const CpuSet all = CpuSet().set() >> (CpuSet().size() - host_.info.cpus);
  for (const auto& set : {hard, soft}) {
    if (set && (*set & all).none()) {
      XL_TRY(raw_info(domain));
      return fail(ErrorCode::invalid_argument, "none of these CPUs is on this host, which has " +
                                                   std::to_string(host_.info.cpus));
    }
  }
  const Listening listening;
  const int bytes = xc_get_cpumap_size(xc());
  if (bytes <= 0) {
    return listening.failure("telling how many CPUs there are");
  }
  Map hard_map = to_map(hard.value_or(CpuSet()), static_cast<std::size_t>(bytes));
  Map soft_map = to_map(soft.value_or(CpuSet()), hard_map.size());
  const unsigned which = (hard ? XEN_VCPUAFFINITY_HARD : 0U) | (soft ? XEN_VCPUAFFINITY_SOFT : 0U);
  if (which != 0 && xc_vcpu_setaffinity(xc(), domain.value(), static_cast<int>(vcpu.value()),
                                        hard_map.data(), soft_map.data(), which) != 0) {
    return vcpu_failure(listening, domain, vcpu,
                        "pinning vcpu " + std::to_string(vcpu.value()) + " of " + name_of(domain));
  }
  return {};
}

Result<SchedulingParameters> XenHypervisor::scheduling(DomId domain) {
  XL_TRY(raw_info(domain));
  const Listening listening;
  if (host_.scheduler == XEN_SCHEDULER_CREDIT2) {
    xen_domctl_sched_credit2 values{};
    if (xc_sched_credit2_domain_get(xc(), domain.value(), &values) != 0) {
      return listening.failure("telling the weight of " + name_of(domain));
    }
    return SchedulingParameters{values.weight, values.cap};
  }
  if (host_.scheduler == XEN_SCHEDULER_CREDIT) {
    xen_domctl_sched_credit values{};
    if (xc_sched_credit_domain_get(xc(), domain.value(), &values) != 0) {
      return listening.failure("telling the weight of " + name_of(domain));
    }
    return SchedulingParameters{values.weight, values.cap};
  }
  return no_weights(host_.info.scheduler);
}

Result<void> XenHypervisor::set_scheduling(DomId domain, const SchedulingParameters& parameters) {
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  const std::uint32_t most = 100 * (raw.max_vcpu_id + 1);
  // Xen would take the weight before it refuses the cap, and 0 for "as it is".
  if (parameters.weight == 0 || parameters.cap > most) {
    return fail(ErrorCode::invalid_argument,
                "weight " + std::to_string(parameters.weight) + " and cap " +
                    std::to_string(parameters.cap) + ": a weight is 1 to 65535, and a cap for " +
                    name_of(domain) + " at most " + std::to_string(most));
  }
  const Listening listening;
  int failed = 0;
  if (host_.scheduler == XEN_SCHEDULER_CREDIT2) {
    xen_domctl_sched_credit2 values{};
    values.weight = parameters.weight;
    values.cap = parameters.cap;
    failed = xc_sched_credit2_domain_set(xc(), domain.value(), &values);
  } else if (host_.scheduler == XEN_SCHEDULER_CREDIT) {
    xen_domctl_sched_credit values{};
    values.weight = parameters.weight;
    values.cap = parameters.cap;
    failed = xc_sched_credit_domain_set(xc(), domain.value(), &values);
  } else {
    return no_weights(host_.info.scheduler);
  }
  return failed == 0 ? Result<void>()
                     : listening.failure("setting weight " + std::to_string(parameters.weight) +
                                         " and cap " + std::to_string(parameters.cap) + " of " +
                                         name_of(domain));
}

}  // namespace xl::hv::xen
