// SPDX-License-Identifier: Apache-2.0
// The waist: platform, vcpus, counters.
#include <cstdint>

#include <xen/hvm/params.h>
#include <xen/xen.h>

#include "hypervisor-iface/cpuid_leaves.hpp"
#include "hypervisor-iface/fake/fake_state.hpp"

namespace xl::hv::fake {
namespace {

constexpr std::size_t max_cpuid_leaves = 64;

}  // namespace

Result<void> FakeHypervisor::set_hvm_params(DomId id, std::span<const HvmParam> params) {
  return state_->on_domain(Call::set_hvm_params, id, [&](Domain& domain) -> Result<void> {
    for (const HvmParam& param : params) {
      if (param.index >= HVM_NR_PARAMS) {
        return fail(ErrorCode::invalid_argument, "HVM param " + std::to_string(param.index));
      }
    }
    for (const HvmParam& param : params) {
      domain.hvm_params[param.index] = param.value;
    }
    return {};
  });
}

Result<std::uint64_t> FakeHypervisor::get_hvm_param(DomId id, std::uint32_t index) {
  return state_->on_domain(Call::get_hvm_param, id, [&](Domain& domain) -> Result<std::uint64_t> {
    if (index >= HVM_NR_PARAMS) {
      return fail(ErrorCode::invalid_argument, "HVM param " + std::to_string(index));
    }
    auto found = domain.hvm_params.find(index);
    return found == domain.hvm_params.end() ? 0 : found->second;
  });
}

Result<void> FakeHypervisor::set_cpuid_policy(DomId id, std::span<const CpuidLeaf> leaves) {
  return state_->on_domain(Call::set_cpuid_policy, id, [&](Domain& domain) -> Result<void> {
    if (leaves.size() > max_cpuid_leaves) {
      return fail(ErrorCode::invalid_argument, std::to_string(leaves.size()) + " CPUID leaves");
    }
    XL_TRY(check_cpuid_leaves(leaves));
    domain.cpuid.assign(leaves.begin(), leaves.end());
    return {};
  });
}

Result<VcpuContext> FakeHypervisor::get_vcpu_context(DomId id, VcpuId vcpu) {
  return state_->on_domain(Call::get_vcpu_context, id, [&](Domain& domain) -> Result<VcpuContext> {
    XL_TRY(state_->check_vcpu(domain, vcpu));
    auto found = domain.vcpus.find(vcpu);
    return found == domain.vcpus.end() ? VcpuContext{} : found->second;
  });
}

Result<void> FakeHypervisor::set_vcpu_context(DomId id, VcpuId vcpu, const VcpuContext& context) {
  return state_->on_domain(Call::set_vcpu_context, id, [&](Domain& domain) -> Result<void> {
    XL_TRY(state_->check_vcpu(domain, vcpu));
    domain.vcpus[vcpu] = context;
    return {};
  });
}

Result<VcpuInfo> FakeHypervisor::vcpu_info(DomId id, VcpuId vcpu) {
  return state_->on_domain(Call::vcpu_info, id, [&](Domain& domain) -> Result<VcpuInfo> {
    XL_TRY(state_->check_vcpu(domain, vcpu));
    VcpuInfo info;
    info.id = vcpu;
    info.online = domain.vcpus.contains(vcpu);
    info.running = info.online && state_->info_of(id, domain).running;
    info.hard_affinity = state_->affinity(domain.hard_affinity, vcpu);
    info.soft_affinity = state_->affinity(domain.soft_affinity, vcpu);
    return info;
  });
}

Result<void> FakeHypervisor::set_vcpu_affinity(DomId id, VcpuId vcpu, std::optional<CpuSet> hard,
                                               std::optional<CpuSet> soft) {
  return state_->on_domain(Call::set_vcpu_affinity, id, [&](Domain& domain) -> Result<void> {
    XL_TRY(state_->check_vcpu(domain, vcpu));
    for (const std::optional<CpuSet>& set : {hard, soft}) {
      if (set && (*set & state_->all_cpus()).none()) {
        return fail(ErrorCode::invalid_argument, "none of the host's CPUs is in the set");
      }
    }
    if (hard) {
      domain.hard_affinity[vcpu] = *hard & state_->all_cpus();
    }
    if (soft) {
      domain.soft_affinity[vcpu] = *soft & state_->all_cpus();
    }
    return {};
  });
}

Result<SchedulingParameters> FakeHypervisor::scheduling(DomId id) {
  return state_->on_domain(
      Call::scheduling, id,
      [](Domain& domain) -> Result<SchedulingParameters> { return domain.scheduling; });
}

Result<void> FakeHypervisor::set_scheduling(DomId id, const SchedulingParameters& parameters) {
  return state_->on_domain(Call::set_scheduling, id, [&](Domain& domain) -> Result<void> {
    if (parameters.weight == 0 || parameters.cap > 100 * domain.options.max_vcpus) {
      return fail(ErrorCode::invalid_argument, "a weight of 0, or a cap that cannot be reached");
    }
    domain.scheduling = parameters;
    return {};
  });
}

Result<void> FakeHypervisor::send_trigger(DomId id, VcpuId vcpu, Trigger trigger) {
  return state_->on_domain(Call::send_trigger, id, [&](Domain& domain) -> Result<void> {
    XL_TRY(state_->check_vcpu(domain, vcpu));
    if (trigger == Trigger::power || trigger == Trigger::sleep) {
      return fail(ErrorCode::not_supported, "PVH domains have no such button");
    }
    domain.triggers.push_back(trigger);
    return {};
  });
}

Result<std::vector<NamedCounter>> FakeHypervisor::counters(std::optional<DomId> id) {
  return state_->call(Call::counters, id.value_or(DomId(0)),
                      [&]() -> Result<std::vector<NamedCounter>> {
                        if (id) {
                          XL_TRY(state_->find(*id));
                        }
                        return state_->counters[id];
                      });
}

}  // namespace xl::hv::fake
