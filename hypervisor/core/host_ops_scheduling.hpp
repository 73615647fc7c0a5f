// SPDX-License-Identifier: Apache-2.0
// HostOps<P>: affinity, weight and cap.
#pragma once

#include "hypervisor/core/host_ops.hpp"

namespace hyp {

template <typename P>
HostResult HostOps<P>::set_affinity(HostRequest& request, Domain<P>& domain) {
  constexpr std::uint64_t flag_hard = 1;
  constexpr std::uint64_t flag_soft = 2;
  const std::uint64_t id = request.args[0];
  const std::uint64_t flags = request.args[1];
  const CpuMask hard = request.args[2];
  const CpuMask soft = request.args[3];
  const CpuMask all = parts_.core.scheduler.all_cpus();
  if (id >= domain.vcpu_count || (flags & ~(flag_hard | flag_soft)) != 0 ||
      ((flags & flag_hard) != 0 && (hard & all) == 0) ||
      ((flags & flag_soft) != 0 && (soft & all) == 0)) {
    return fail(Errno::inval);
  }
  Vcpu<P>& vcpu = *domain.vcpus[id];
  // Only requests change the sets, and they come one by one.
  parts_.core.scheduler.set_affinity(vcpu, (flags & flag_hard) != 0 ? hard : vcpu.hard_affinity,
                                     (flags & flag_soft) != 0 ? soft : vcpu.soft_affinity);
  return done();
}

template <typename P>
HostResult HostOps<P>::set_scheduling(HostRequest& request, Domain<P>& domain) {
  constexpr std::uint64_t most_weight = 65535;
  const std::uint64_t weight = request.args[0];
  const std::uint64_t cap = request.args[1];
  // As Xen's credit2: no more than all its vcpus can use.
  if (weight == 0 || weight > most_weight || cap > 100 * std::uint64_t{domain.vcpu_count}) {
    return fail(Errno::inval);
  }
  parts_.core.scheduler.set_share(
      domain, {static_cast<std::uint32_t>(weight), static_cast<std::uint32_t>(cap)});
  return done();
}

template <typename P>
HostResult HostOps<P>::get_scheduling(HostRequest& request, Domain<P>& domain) {
  const auto share = parts_.core.scheduler.share(domain);
  request.results[0] = share.weight;
  request.results[1] = share.cap;
  return done();
}

}  // namespace hyp
