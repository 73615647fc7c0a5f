// SPDX-License-Identifier: Apache-2.0
// Definitions of Scheduler<P>: affinity, weight and cap.
#pragma once

#include "hypervisor/core/scheduler.hpp"

namespace hyp {

template <typename P>
void Scheduler<P>::set_affinity(Vcpu<P>& vcpu, CpuMask hard, CpuMask soft) {
  Guard guard(lock_);
  const std::uint64_t now = platform_.now_ns();
  const bool queued = vcpu.queued.load();
  if (queued) {
    dequeue(vcpu);
  }
  vcpu.hard_affinity = hard;
  vcpu.soft_affinity = soft;
  RunNode<P>& node = vcpu.run_node;
  node.allowed = hard & all_cpus_;
  node.preferred = (hard & soft & all_cpus_) != 0 ? hard & soft & all_cpus_ : node.allowed;
  // Other CPUs may be ahead of those it ran on, or behind: it goes on with what they have reached.
  if (vcpu.running.load()) {
    charge(vcpu, now);
  }
  const std::uint64_t ceiling = reached(vcpu, now) + slice_ns;
  vcpu.virtual_time = vcpu.virtual_time < ceiling ? vcpu.virtual_time : ceiling;
  forgive_lag(vcpu, now);
  if (queued) {
    enqueue(vcpu);
    find_cpu_for(vcpu, now);
  } else if (vcpu.running.load() && belongs_elsewhere(vcpu, vcpu.cpu.load())) {
    look(vcpu.cpu.load());
  }
}

template <typename P>
void Scheduler<P>::set_share(Domain<P>& domain, Share share) {
  Guard guard(lock_);
  const std::uint64_t now = platform_.now_ns();
  for (unsigned i = 0; i < domain.vcpu_count; ++i) {
    Vcpu<P>& vcpu = *domain.vcpus[i];
    if (vcpu.running.load()) {
      charge(vcpu, now);  // at the old weight
      look(vcpu.cpu.load());
    }
  }
  domain.weight = share.weight;
  domain.cap = share.cap;
  domain.budget_ns = period_budget(domain);
  domain.budget_since = now;
  if (domain.parked.load()) {
    timers_.cancel(domain.budget_timer);
    unpark(domain, now);
  }
}

// Up to two periods' worth: what a late timer leaves unused is not lost.
template <typename P>
void Scheduler<P>::earn(Domain<P>& domain, std::uint64_t now) {
  const std::int64_t most = 2 * period_budget(domain);
  domain.budget_ns += static_cast<std::int64_t>((now - domain.budget_since) * domain.cap / 100);
  domain.budget_ns = domain.budget_ns < most ? domain.budget_ns : most;
  domain.budget_since = now;
}

// Until it has earned what a period gives. Its vcpus that still run stop at the end of their
// grants, or earlier.
template <typename P>
void Scheduler<P>::park(Domain<P>& domain, std::uint64_t now) {
  domain.parked.store(true);
  for (unsigned i = 0; i < domain.vcpu_count; ++i) {
    Vcpu<P>& vcpu = *domain.vcpus[i];
    if (vcpu.queued.load()) {
      dequeue(vcpu);
      set_state(vcpu, resting_state(vcpu), now);
    }
  }
  const auto missing = static_cast<std::uint64_t>(period_budget(domain) - domain.budget_ns);
  timers_.arm(domain.budget_timer, now + (missing * 100 + domain.cap - 1) / domain.cap);
}

template <typename P>
void Scheduler<P>::unpark(Domain<P>& domain, std::uint64_t now) {
  domain.parked.store(false);
  for (unsigned i = 0; i < domain.vcpu_count; ++i) {
    update_locked(*domain.vcpus[i], now);
  }
}

template <typename P>
void Scheduler<P>::budget_earned(Domain<P>& domain) {
  Guard guard(lock_);
  if (!domain.parked.load()) {
    return;  // the cap was changed while the timer fired
  }
  const std::uint64_t now = platform_.now_ns();
  earn(domain, now);
  if (domain.budget_ns > 0) {
    unpark(domain, now);
  } else {
    park(domain, now);  // vcpus that ran on have used more
  }
}

}  // namespace hyp
