// SPDX-License-Identifier: Apache-2.0
// The Xen whose interface the bundled hypervisor speaks: one value for XENVER_version, for CPUID
// and for `xl info`.
#pragma once

#include <cstdint>

namespace xl::abi {

inline constexpr std::uint32_t xen_major = 4;
inline constexpr std::uint32_t xen_minor = 17;
inline constexpr char xen_extra[] = ".7";  // XENVER_extraversion
inline constexpr std::uint32_t xen_version = xen_major << 16 | xen_minor;

}  // namespace xl::abi
