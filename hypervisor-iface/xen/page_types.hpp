// SPDX-License-Identifier: Apache-2.0
// XEN_DOMCTL_getpageframeinfo3, which libxenctrl has and its headers have not.
#pragma once

#include <cstdint>
#include <span>

#include "hypervisor-iface/hypervisor.hpp"
#include "hypervisor-iface/xen/handles.hpp"

namespace xl::hv::xen {

inline constexpr std::size_t most_page_types = 1024;

// Replaces each frame number by its type (XEN_DOMCTL_PFINFO_*). Frames on demand get their memory.
Result<void> read_page_types(const Handles& handles, DomId domain, std::span<std::uint64_t> frames);

}  // namespace xl::hv::xen
