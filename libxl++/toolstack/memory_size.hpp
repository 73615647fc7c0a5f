// SPDX-License-Identifier: Apache-2.0
// What a domain's pages are made of, beside its memory.
#pragma once

#include "base/types.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libdomainbuilder/layout/layout.hpp"

namespace xl::toolstack {

// libxl's LIBXL_MAXMEM_CONSTANT, for what nobody counted: special pages, ACPI tables.
inline constexpr Pages libxl_slack(1 << 8);
// What the bundled hypervisor lets a domain have beyond its target.
inline constexpr Pages target_slack = libxl_slack + build::on_demand_slack;

// A domain's memory as `xl list` shows it: what it has and what it may still demand, as in Xen,
// where that is set aside too. `slack`: what it may have beyond its target.
Pages current_memory(const hv::DomainInfo& info, Bytes target, Pages slack);

}  // namespace xl::toolstack
