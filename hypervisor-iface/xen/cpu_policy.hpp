// SPDX-License-Identifier: Apache-2.0
// The CPUID policy of a PVH domain, as libxl gives it: Xen's default for HVM domains with the
// adjustments of libxenguest. Worked out once, for the first domain, and handed to all others. Any
// thread.
#pragma once

#include <memory>
#include <mutex>
#include <span>

#include "hypervisor-iface/hypervisor.hpp"
#include "hypervisor-iface/xen/handles.hpp"

namespace xl::hv::xen {

class CpuPolicy {
 public:
  Result<void> apply_default(const Handles& handles, DomId domain);
  // Replaces leaves of what the domain has.
  Result<void> replace(const Handles& handles, DomId domain, std::span<const CpuidLeaf> leaves);

 private:
  using Policy = std::unique_ptr<xc_cpu_policy_t, Closer<xc_cpu_policy_destroy>>;
  static Result<Policy> read(const Handles& handles, DomId domain);

  std::mutex mutex_;
  Policy default_;
};

}  // namespace xl::hv::xen
