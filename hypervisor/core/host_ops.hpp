// SPDX-License-Identifier: Apache-2.0
// HostOps<P>: the requests of domain 0, one function each (abi::Op says what goes in and out).
#pragma once

#include "hypervisor/core/host_request.hpp"
#include "hypervisor/core/parts.hpp"

namespace hyp {

template <typename P>
class HostOps {
 public:
  explicit constexpr HostOps(Parts<P>& parts) : parts_(parts) {}

  // One step. `more`: call again with the same request.
  HostResult run(HostRequest& request, unsigned cpu);

 private:
  using Handler = HostResult (HostOps::*)(HostRequest&, Domain<P>&);

  HostResult run_global(HostRequest& request);
  Handler handler_of(xl::abi::Op op) const;
  HostResult done() const { return Progress::done; }
  HostResult done(const Result<void>& result) const {
    return result ? HostResult(Progress::done) : HostResult(fail(result.error()));
  }

  // --- of the machine
  HostResult host_info(HostRequest& request);
  HostResult create_domain(HostRequest& request);
  HostResult list_domains(HostRequest& request);
  HostResult take_state_changes(HostRequest& request);
  HostResult machine_counters(HostRequest& request);
  HostResult take_freed(HostRequest& request);
  void publish_releasable();
  HostResult list_bindings(HostRequest& request);
  HostResult attach(HostRequest& request);

  // --- of a domain
  HostResult destroy(HostRequest& request, Domain<P>& domain);
  HostResult pause(HostRequest& request, Domain<P>& domain);
  HostResult unpause(HostRequest& request, Domain<P>& domain);
  HostResult info(HostRequest& request, Domain<P>& domain);
  HostResult shutdown(HostRequest& request, Domain<P>& domain);
  HostResult set_max_memory(HostRequest& request, Domain<P>& domain);
  HostResult populate(HostRequest& request, Domain<P>& domain);
  HostResult translate(HostRequest& request, Domain<P>& domain);
  HostResult populate_on_demand(HostRequest& request, Domain<P>& domain);
  HostResult set_memory_target(HostRequest& request, Domain<P>& domain);
  HostResult list_extents(HostRequest& request, Domain<P>& domain);
  HostResult copy_to(HostRequest& request, Domain<P>& domain);
  HostResult copy_from(HostRequest& request, Domain<P>& domain);
  HostResult set_memory_map(HostRequest& request, Domain<P>& domain);
  HostResult set_params(HostRequest& request, Domain<P>& domain);
  HostResult get_param(HostRequest& request, Domain<P>& domain);
  HostResult set_cpuid(HostRequest& request, Domain<P>& domain);
  HostResult get_context(HostRequest& request, Domain<P>& domain);
  HostResult set_context(HostRequest& request, Domain<P>& domain);
  HostResult vcpu_info(HostRequest& request, Domain<P>& domain);
  HostResult alloc_unbound(HostRequest& request, Domain<P>& domain);
  HostResult bind(HostRequest& request, Domain<P>& domain);
  HostResult seed(HostRequest& request, Domain<P>& domain);
  HostResult grant_map(HostRequest& request, Domain<P>& domain);
  HostResult counters(HostRequest& request, Domain<P>& domain);
  HostResult send_trigger(HostRequest& request, Domain<P>& domain);
  HostResult resume(HostRequest& request, Domain<P>& domain);
  HostResult soft_reset(HostRequest& request, Domain<P>& domain);

  HostResult set_affinity(HostRequest& request, Domain<P>& domain);
  HostResult set_scheduling(HostRequest& request, Domain<P>& domain);
  HostResult get_scheduling(HostRequest& request, Domain<P>& domain);

  static Errno errno_of(GrantError error);
  xl::abi::DomainRecord record_of(Domain<P>& domain);
  HostResult check_extents(const HostRequest& request, const Domain<P>& domain) const;
  Result<void> check_promises(const HostRequest& request) const;
  HostResult try_target(Domain<P>& domain, std::uint64_t pages, bool withdraw);
  HostResult undo_from_here(HostRequest& request, Errno cause) const;
  HostResult undo_populate(HostRequest& request, Domain<P>& domain, Errno cause);
  // Stops the domain's vcpus around an operation on registers: `more` until none runs elsewhere.
  template <typename Work>
  HostResult while_quiet(HostRequest& request, Domain<P>& domain, Work&& work);

  Parts<P>& parts_;
  unsigned cpu_ = 0;  // that serves this step
};

}  // namespace hyp

#include "hypervisor/core/host_ops_attach.hpp"
#include "hypervisor/core/host_ops_control.hpp"
#include "hypervisor/core/host_ops_domain.hpp"
#include "hypervisor/core/host_ops_machine.hpp"
#include "hypervisor/core/host_ops_memory.hpp"
#include "hypervisor/core/host_ops_scheduling.hpp"
#include "hypervisor/core/host_ops_on_demand.hpp"
