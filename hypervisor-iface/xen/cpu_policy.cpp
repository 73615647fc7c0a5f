// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/xen/cpu_policy.hpp"

#include <string>
#include <vector>

#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

namespace xl::hv::xen {
namespace {

constexpr std::uint32_t any_subleaf = 0xffffffff;  // also how Xen writes "has no subleaves"

std::string doing(DomId domain) {
  return "setting the CPUID policy of " + name_of(domain);
}

}  // namespace

Result<CpuPolicy::Policy> CpuPolicy::read(const Handles& handles, DomId domain) {
  const Listening listening;
  Policy policy(xc_cpu_policy_init());
  if (!policy || xc_cpu_policy_get_domain(handles.xc(), domain.value(), policy.get()) != 0) {
    return listening.failure("reading the CPUID policy of " + name_of(domain));
  }
  return policy;
}

Result<void> CpuPolicy::apply_default(const Handles& handles, DomId domain) {
  const std::lock_guard lock(mutex_);
  const Listening listening;
  if (default_) {
    return xc_cpu_policy_set_domain(handles.xc(), domain.value(), default_.get()) == 0
               ? Result<void>()
               : listening.failure(doing(domain));
  }
  const bool pae = true;
  const bool invariant_tsc = false;
  const bool nested = false;
  const int failed = xc_cpuid_apply_policy(handles.xc(), domain.value(), false, nullptr, 0, pae,
                                           invariant_tsc, nested, nullptr, nullptr);
  if (failed != 0) {
    return listening.failure(failed < 0 ? -failed : failed, doing(domain));
  }
  XL_TRY_ASSIGN(default_, read(handles, domain));
  return {};
}

Result<void> CpuPolicy::replace(const Handles& handles, DomId domain,
                                std::span<const CpuidLeaf> leaves) {
  XL_TRY_ASSIGN(const Policy policy, read(handles, domain));
  const Listening listening;
  std::uint32_t count = 0;
  std::uint32_t no_msrs = 0;
  if (xc_cpu_policy_get_size(handles.xc(), &count, &no_msrs) != 0) {
    return listening.failure(doing(domain));
  }
  std::vector<xen_cpuid_leaf_t> has(count);
  std::vector<xen_msr_entry_t> msrs(no_msrs);
  if (xc_cpu_policy_serialise(handles.xc(), policy.get(), has.data(), &count, msrs.data(),
                              &no_msrs) != 0) {
    return listening.failure(doing(domain));
  }
  has.resize(count);
  std::vector<xen_cpuid_leaf_t> replaced;
  for (const CpuidLeaf& leaf : leaves) {
    bool found = false;
    for (const xen_cpuid_leaf_t& old : has) {
      if (old.leaf == leaf.leaf && (leaf.subleaf == any_subleaf || old.subleaf == leaf.subleaf)) {
        replaced.push_back({old.leaf, old.subleaf, leaf.eax, leaf.ebx, leaf.ecx, leaf.edx});
        found = true;
      }
    }
    if (!found) {
      replaced.push_back({leaf.leaf, leaf.subleaf, leaf.eax, leaf.ebx, leaf.ecx, leaf.edx});
    }
  }
  if (xc_cpu_policy_update_cpuid(handles.xc(), policy.get(), replaced.data(),
                                 static_cast<std::uint32_t>(replaced.size())) != 0 ||
      xc_cpu_policy_set_domain(handles.xc(), domain.value(), policy.get()) != 0) {
    return listening.failure(doing(domain));
  }
  return {};
}

}  // namespace xl::hv::xen
