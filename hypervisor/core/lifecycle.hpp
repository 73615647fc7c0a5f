// SPDX-License-Identifier: Apache-2.0
// Lifecycle<P>: a domain's creation, its ways to stop, and its end. Creation and destruction are
// called by the host side only.
#pragma once

#include "hypervisor/core/core.hpp"
#include "hypervisor/core/events.hpp"
#include "hypervisor/core/grants.hpp"
#include "hypervisor/core/memory.hpp"
#include "hypervisor/core/reaper.hpp"

namespace hyp {

struct CreateOptions {
  std::uint64_t max_vcpus = 1;  // 1 .. max_vcpus
  std::uint64_t max_pages = 0;
  std::uint64_t flags = 0;  // there are none: 0
  std::uint64_t handle[2]{};
};

template <typename P>
class Lifecycle {
 public:
  constexpr Lifecycle(Core<P>& core, Events<P>& events, Grants<P>& grants, Reaper<P>& reaper)
      : core_(core), events_(events), grants_(grants), reaper_(reaper) {}

  // A domain without memory, paused once, all vcpus offline. nomem, inval, nospc (no id); nothing
  // is left on failure.
  Result<DomId> create(const CreateOptions& options);

  // Takes the domain away from everybody's eyes. Ports are closed in steps: again, call again. Then
  // the reaper frees it.
  Result<void> destroy(Domain<P>& domain);
  // A piece of the teardown after the grace period. True: there is more. False: it is gone, or
  // others hold its frames.
  bool tear_down(Domain<P>& domain);

  void pause(Domain<P>& domain);
  Result<void> unpause(Domain<P>& domain);                      // inval: was not paused
  static bool is_quiet(const Domain<P>& domain, unsigned cpu);  // no vcpu on another CPU than this
  void shutdown(Domain<P>& domain, std::uint32_t reason);
  void update_all(Domain<P>& domain);

  // Lets a domain that has shut down, and whose vcpus have stopped, run on.
  void resume(Domain<P>& domain);
  // Event delivery, areas and timers that the guest asked for are as after create. No vcpu runs.
  void forget_registrations(Domain<P>& domain);

  void vcpu_up(Vcpu<P>& vcpu);
  void vcpu_down(Vcpu<P>& vcpu);
  // The same by the guest's own doing: the host is told (take_state_changes).
  void guest_vcpu_up(Vcpu<P>& vcpu) {
    vcpu_up(vcpu);
    core_.tell_host_changed(vcpu.domain->id);
  }
  void guest_vcpu_down(Vcpu<P>& vcpu) {
    vcpu_down(vcpu);
    core_.tell_host_changed(vcpu.domain->id);
  }
  // After each exit from there: one load but for the first.
  void saw_user_mode(Domain<P>& domain) {
    if (!domain.user_mode.load(std::memory_order_relaxed) && !domain.user_mode.exchange(true)) {
      core_.tell_host_changed(domain.id);
    }
  }

  // Writes the vcpu's pvclock record and, once, the wall clock.
  void write_time(Vcpu<P>& vcpu);
  void write_wall_clock(Domain<P>& domain);
  // The guest's width decides the layout of shared_info.
  void set_width(Domain<P>& domain, bool narrow);

 private:
  template <typename T>
  static constexpr unsigned order_of() {
    unsigned order = 0;
    while (sizeof(T) > xl::page_size << order) {
      ++order;
    }
    static_assert(sizeof(T) <= xl::page_size << order_small_max);
    return order;
  }
  Result<void> build(Domain<P>& domain);
  Result<void> add_vcpu(Domain<P>& domain, unsigned id);
  void stop_timers(Domain<P>& domain);
  void free_domain(Domain<P>& domain);

  Core<P>& core_;
  Events<P>& events_;
  Grants<P>& grants_;
  Reaper<P>& reaper_;
};

}  // namespace hyp

#include "hypervisor/core/lifecycle_impl.hpp"
#include "hypervisor/core/lifecycle_reset.hpp"
