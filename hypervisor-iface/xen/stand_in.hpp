// SPDX-License-Identifier: Apache-2.0
// Whose a machine frame is. Xen tells nobody, but lets the one who looks find out: a PV domain that
// stands in for another (XEN_DOMCTL_set_target, as a stub domain does for its guest) may have the
// other's frames mapped through it by their machine frame numbers, and nobody else's
// (xen/arch/x86/mm.c: get_page_from_l1e). The other's physmap has no part in that, so nothing is
// given on demand.
//
// A stand-in has no vcpu and no memory, is in nobody's store, and lives for one look: ADR 0166.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "hypervisor-iface/hypervisor.hpp"
#include "hypervisor-iface/xen/handles.hpp"

namespace xl::hv::xen {

class StandIn {
 public:
  // Fails as Xen fails: where it runs no PV domains, for instance.
  static Result<StandIn> create(std::shared_ptr<Handles> handles, DomId domain);
  StandIn(StandIn&&) = default;
  StandIn& operator=(StandIn&&) = default;

  // Which of these machine frames are the domain's. Only a PV domain 0 can ask.
  Result<std::vector<bool>> owns(std::span<const xen_pfn_t> frames) const;

 private:
  struct Destroy {
    std::shared_ptr<Handles> handles;
    void operator()(const std::uint32_t* id) const;
  };
  explicit StandIn(std::unique_ptr<std::uint32_t, Destroy> id) : id_(std::move(id)) {}

  std::unique_ptr<std::uint32_t, Destroy> id_;
};

// Lists do not show it.
bool is_stand_in(const xc_domaininfo_t& info);
// Destroys those of processes that were killed meanwhile.
void remove_stand_ins(const Handles& handles);

}  // namespace xl::hv::xen
