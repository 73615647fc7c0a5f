// SPDX-License-Identifier: Apache-2.0
// Weight, cap and affinity of domains: at their start from the config, later by request. What is
// requested goes into the domain's plan, so that a restart keeps it.
#include "libxl++/toolstack/scheduling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "libxl++/config/rules.hpp"
#include "libxl++/toolstack/engine.hpp"

namespace xl::toolstack {
namespace {

using config::CpuSet;

CpuSet every_cpu() {
  return CpuSet().set();
}

// One of the host's CPUs has to be in the set: the hypervisor would only say "invalid argument".
Result<void> check_cpus(const CpuSet& set, std::uint32_t host_cpus, const char* which, ErrorId id) {
  if ((set & (every_cpu() >> (config::cpu_list_limit - host_cpus))).any()) {
    return {};
  }
  const std::string has = host_cpus == 1 ? "one, CPU 0" : fmt::format("CPUs 0-{}", host_cpus - 1);
  return fail(id,
              fmt::format("{}: none of '{}' is a CPU of this host, which has {}", which,
                          config::format_cpu_list(set), has),
              "`xl info nr_cpus` says how many there are; \"all\" means each of them");
}

Result<void> check_sets(const std::vector<CpuSet>& sets, std::uint32_t host_cpus,
                        const char* which) {
  for (const CpuSet& set : sets) {
    XL_TRY(check_cpus(set, host_cpus, which, ErrorId::config_cpus));
  }
  return {};
}

std::optional<CpuSet> entry(const std::vector<CpuSet>& sets, std::size_t vcpu) {
  return vcpu < sets.size() ? std::optional(sets[vcpu]) : std::nullopt;
}

void replace_entry(std::vector<CpuSet>& sets, std::size_t vcpu, const std::optional<CpuSet>& set) {
  if (set) {
    sets.resize(std::max(sets.size(), vcpu + 1), every_cpu());
    sets[vcpu] = *set;
  }
}

Result<void> check_share(const config::Scheduling& scheduling, std::uint32_t vcpus) {
  const auto refuse = [](const char* which, const config::Verdict& verdict) {
    return verdict ? fail(ErrorId::share_out_of_range,
                          fmt::format("{}: {}", which, verdict->message), verdict->hint)
                   : Result<void>();
  };
  XL_TRY(refuse("cpu_weight", config::judge_weight(scheduling.weight)));
  XL_TRY(refuse("cap", config::judge_cap(scheduling.cap)));
  const std::uint32_t most = 100 * vcpus;
  return scheduling.cap <= most
             ? Result<void>()
             : fail(ErrorId::share_out_of_range,
                    fmt::format("cap: {} is more than its {} vcpus can reach, {}", scheduling.cap,
                                vcpus, most),
                    "0 is no cap");
}

hv::SchedulingParameters parameters_of(const config::Scheduling& scheduling) {
  return {static_cast<std::uint16_t>(scheduling.weight),
          static_cast<std::uint16_t>(scheduling.cap)};
}

}  // namespace

Result<void> apply_scheduling(hv::Hypervisor& hypervisor, DomId domain,
                              const config::DomainConfig& config) {
  const config::Scheduling& scheduling = config.scheduling;
  const hv::SchedulingParameters parameters = parameters_of(scheduling);
  if (parameters != hv::SchedulingParameters()) {
    XL_TRY(hypervisor.set_scheduling(domain, parameters));
  }
  const std::size_t vcpus = std::max(scheduling.cpus.size(), scheduling.cpus_soft.size());
  if (vcpus == 0) {
    return {};
  }
  XL_TRY_ASSIGN(const hv::HostInfo host, hypervisor.host_info());
  XL_TRY(check_sets(scheduling.cpus, host.cpus, "cpus"));
  XL_TRY(check_sets(scheduling.cpus_soft, host.cpus, "cpus_soft"));
  for (std::size_t vcpu = 0; vcpu < vcpus; ++vcpu) {
    XL_TRY(hypervisor.set_vcpu_affinity(domain, VcpuId(static_cast<std::uint32_t>(vcpu)),
                                        entry(scheduling.cpus, vcpu),
                                        entry(scheduling.cpus_soft, vcpu)));
  }
  return {};
}

Result<std::vector<Engine::DomainRef>> Engine::one_or_all(std::optional<DomId> id) {
  std::vector<DomainRef> all;
  if (id || options_.host) {
    XL_TRY_ASSIGN(DomainRef one, steered(id.value_or(DomId(0))));
    all.push_back(std::move(one));
  }
  if (!id) {
    std::ranges::move(registry_.all(), std::back_inserter(all));
  }
  return all;
}

Result<std::vector<VcpuSummary>> Engine::vcpus(std::optional<DomId> id) {
  XL_TRY_ASSIGN(const std::vector<DomainRef> all, one_or_all(id));
  std::vector<VcpuSummary> rows;
  for (const DomainRef& domain : all) {
    for (std::uint32_t vcpu = 0; vcpu < domain->plan.config.max_vcpus; ++vcpu) {
      auto info = checked(domain->session,
                          domain->session->hypervisor().vcpu_info(domain->id, VcpuId(vcpu)));
      if (!info && info.error().code == ErrorCode::not_found && !id) {
        break;  // it went while we asked
      }
      XL_TRY(info);
      rows.push_back({domain->id, domain->claim.name(), *info});
    }
  }
  return rows;
}

Result<void> Engine::pin_vcpus(DomId id, std::optional<VcpuId> vcpu, std::optional<CpuSet> hard,
                               std::optional<CpuSet> soft) {
  XL_TRY_ASSIGN(const DomainRef domain, steered(id));
  const std::lock_guard lock(domain->lifecycle);
  hv::Hypervisor& hypervisor = domain->session->hypervisor();
  XL_TRY_ASSIGN(const hv::HostInfo host, checked(domain->session, hypervisor.host_info()));
  const auto check = [&](const std::optional<CpuSet>& set, const char* which) {
    return set ? check_cpus(*set, host.cpus, which, ErrorId::cpus_not_on_host) : Result<void>();
  };
  XL_TRY(check(hard, "hard affinity"));
  XL_TRY(check(soft, "soft affinity"));
  const std::uint32_t vcpus = domain->plan.config.max_vcpus;
  if (vcpu && vcpu->value() >= vcpus) {
    return fail(ErrorId::no_such_vcpu,
                fmt::format("'{}' has no vcpu {}", domain->claim.name(), vcpu->value()),
                fmt::format("its vcpus are 0 to {}", vcpus - 1));
  }
  const std::uint32_t first = vcpu ? vcpu->value() : 0;
  const std::uint32_t last = vcpu ? vcpu->value() : vcpus - 1;
  for (std::uint32_t each = first; each <= last; ++each) {
    XL_TRY(checked(domain->session, hypervisor.set_vcpu_affinity(id, VcpuId(each), hard, soft)));
    config::Scheduling& scheduling = domain->plan.config.scheduling;
    replace_entry(scheduling.cpus, each, hard);
    replace_entry(scheduling.cpus_soft, each, soft);
  }
  told_scheduling(domain, {{"changed", std::string("affinity")}});
  return {};
}

Result<std::vector<DomainShare>> Engine::shares(std::optional<DomId> id) {
  XL_TRY_ASSIGN(const std::vector<DomainRef> all, one_or_all(id));
  std::vector<DomainShare> rows;
  for (const DomainRef& domain : all) {
    auto parameters =
        checked(domain->session, domain->session->hypervisor().scheduling(domain->id));
    if (!parameters && parameters.error().code == ErrorCode::not_found && !id) {
      continue;
    }
    XL_TRY(parameters);
    rows.push_back({domain->id, domain->claim.name(), *parameters});
  }
  return rows;
}

// What is not named stays as the hypervisor has it: another toolstack may have set it.
Result<void> Engine::set_share(DomId id, std::optional<std::uint32_t> weight,
                               std::optional<std::uint32_t> cap) {
  XL_TRY_ASSIGN(const DomainRef domain, steered(id));
  const std::lock_guard lock(domain->lifecycle);
  hv::Hypervisor& hypervisor = domain->session->hypervisor();
  XL_TRY_ASSIGN(const hv::SchedulingParameters now,
                checked(domain->session, hypervisor.scheduling(id)));
  config::Scheduling changed;
  changed.weight = weight.value_or(now.weight);
  changed.cap = cap.value_or(now.cap);
  XL_TRY(check_share(changed, domain->plan.config.max_vcpus));
  XL_TRY(checked(domain->session, hypervisor.set_scheduling(id, parameters_of(changed))));
  config::Scheduling& kept = domain->plan.config.scheduling;
  kept.weight = changed.weight;
  kept.cap = changed.cap;
  told_scheduling(domain, {{"changed", std::string("share")},
                           {"weight", std::uint64_t{changed.weight}},
                           {"cap", std::uint64_t{changed.cap}}});
  return {};
}

void Engine::told_scheduling(const DomainRef& domain, EventDetails details) {
  save(*domain);
  emit(LifecycleEvent::Kind::vcpus, domain->id, domain->claim.name(), {}, std::move(details));
}

}  // namespace xl::toolstack
