// SPDX-License-Identifier: Apache-2.0
// The toolstack's values as what travels. Pure, but for host_view, which asks the CPU and uname(2).
#pragma once

#include "libxl++/api/wire.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {

DomainView domain_view(const toolstack::DomainSummary& domain);
CreatedView created_view(const toolstack::CreatedDomain& domain);
const char* event_name(toolstack::LifecycleEvent::Kind kind);
EventView event_view(const toolstack::LifecycleEvent& event);
HostView host_view(const hv::HostInfo& info);

}  // namespace xl::api
