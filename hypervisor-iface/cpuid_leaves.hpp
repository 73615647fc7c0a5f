// SPDX-License-Identifier: Apache-2.0
// Which CPUID leaves a policy may have: those that Xen 4.17 keeps (xen/lib/x86/cpuid.h's limits of
// a guest's policy). The real Xen looks by itself; the other backends refuse the same.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv {

inline Result<void> check_cpuid_leaves(std::span<const CpuidLeaf> leaves) {
  constexpr std::uint32_t last_basic = 0xd;
  constexpr std::uint32_t xen = 0x40000000;  // by which a policy limits Xen's own leaves
  constexpr std::uint32_t first_extended = 0x80000000;
  constexpr std::uint32_t last_extended = 0x80000021;
  for (const CpuidLeaf& leaf : leaves) {
    const bool extended = leaf.leaf >= first_extended && leaf.leaf <= last_extended;
    if (leaf.leaf > last_basic && leaf.leaf != xen && !extended) {
      return fail(ErrorCode::invalid_argument,
                  "CPUID leaf " + std::to_string(leaf.leaf) + ": no policy has it");
    }
  }
  return {};
}

}  // namespace xl::hv
