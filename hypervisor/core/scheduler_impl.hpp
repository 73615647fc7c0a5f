// SPDX-License-Identifier: Apache-2.0
// Definitions of Scheduler<P>: who runs where.
#pragma once

#include "hypervisor/core/scheduler.hpp"

namespace hyp {

template <typename P>
void Scheduler<P>::set_state(Vcpu<P>& vcpu, RunState state, std::uint64_t now) {
  const auto is_active = [](RunState s) {
    return s == RunState::running || s == RunState::runnable;
  };
  vcpu.domain->active += (is_active(state) ? 1U : 0U) - (is_active(vcpu.state) ? 1U : 0U);
  vcpu.state_ns[static_cast<unsigned>(vcpu.state)] += now - vcpu.state_since;
  vcpu.state = state;
  vcpu.state_since = now;
}

// What it ran since it got the CPU, or since the last charge.
template <typename P>
void Scheduler<P>::charge(Vcpu<P>& vcpu, std::uint64_t now) {
  Domain<P>& domain = *vcpu.domain;
  if (domain.cap != 0) {
    domain.budget_ns -= static_cast<std::int64_t>(now - vcpu.slice_start);
    earn(domain, now);
  }
  vcpu.virtual_time = used(vcpu, now);
  vcpu.slice_start = now;
}

// The virtual time that others have reached where this vcpu may run. Where nobody waits, the one
// that runs goes ahead alone, and with it the time that a newcomer starts from: else it would have
// to wait until the newcomer has had all that too.
template <typename P>
std::uint64_t Scheduler<P>::reached(const Vcpu<P>& vcpu, std::uint64_t now) const {
  std::uint64_t most = 0;
  const CpuMask waiting = queue_.waiting();
  for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
    if ((vcpu.run_node.allowed & cpu_bit(cpu)) == 0) {
      continue;
    }
    const Cpu& state = state_[cpu];
    const bool alone =
        state.current != nullptr && state.current != &vcpu && (waiting & cpu_bit(cpu)) == 0;
    const std::uint64_t time = alone ? used(*state.current, now) : state.served;
    most = time > most ? time : most;
  }
  return most;
}

// What it did not use counts for one slice at most.
template <typename P>
void Scheduler<P>::forgive_lag(Vcpu<P>& vcpu, std::uint64_t now) {
  const std::uint64_t time = reached(vcpu, now);
  const std::uint64_t floor = time > slice_ns ? time - slice_ns : 0;
  vcpu.virtual_time = vcpu.virtual_time > floor ? vcpu.virtual_time : floor;
}

template <typename P>
void Scheduler<P>::enqueue(Vcpu<P>& vcpu) {
  vcpu.queued.store(true);
  vcpu.run_node.key = vcpu.virtual_time;
  queue_.insert(vcpu.run_node);
}

template <typename P>
void Scheduler<P>::dequeue(Vcpu<P>& vcpu) {
  queue_.erase(vcpu.run_node);
  vcpu.queued.store(false);
}

// Somebody has waited, or has nobody to take a CPU from: none of these goes on without end.
template <typename P>
void Scheduler<P>::limit_slices(CpuMask cpus, std::uint64_t now) {
  for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
    Cpu& state = state_[cpu];
    if ((cpus & cpu_bit(cpu)) == 0 || state.current == nullptr) {
      continue;
    }
    const std::uint64_t end = state.current->slice_start + slice_ns;
    if (state.slice_end > end) {
      state.slice_end = end > now ? end : now;
      state.look.store(state.slice_end == now || state.look.load());
      if (cpu != platform_.cpu_id()) {
        platform_.kick_cpu(cpu);  // it programs the new deadline
      }
    }
  }
}

// The last one first, and first those that it prefers.
template <typename P>
bool Scheduler<P>::take_idle_cpu(const Vcpu<P>& vcpu) {
  CpuMask idle = idle_ & vcpu.run_node.allowed;
  if (idle == 0) {
    return false;
  }
  const CpuMask better = idle & vcpu.run_node.preferred;
  idle = better != 0 ? better : idle;
  const unsigned last = vcpu.cpu.load();
  const unsigned cpu =
      (idle & cpu_bit(last)) != 0 ? last : static_cast<unsigned>(__builtin_ctzll(idle));
  idle_ &= ~cpu_bit(cpu);
  look(cpu);
  return true;
}

// From the vcpu that has had the most, if that is clearly more; first where it prefers to run.
template <typename P>
bool Scheduler<P>::take_busy_cpu(const Vcpu<P>& vcpu, std::uint64_t now) {
  unsigned chosen = max_cpus;
  bool chosen_preferred = false;
  std::uint64_t most = 0;
  for (unsigned i = 0; i < cpus_; ++i) {
    const unsigned cpu = (vcpu.cpu.load() + i) % cpus_;
    const Cpu& state = state_[cpu];
    if ((vcpu.run_node.allowed & cpu_bit(cpu)) == 0 || state.current == nullptr ||
        state.look.load()) {
      continue;  // or on its way to the queue already
    }
    const std::uint64_t has_had = used(*state.current, now);
    const bool preferred = (vcpu.run_node.preferred & cpu_bit(cpu)) != 0;
    if (has_had > vcpu.virtual_time + wakeup_lead_ns &&
        (preferred != chosen_preferred ? preferred : has_had > most)) {
      most = has_had;
      chosen = cpu;
      chosen_preferred = preferred;
    }
  }
  if (chosen != max_cpus) {
    look(chosen);
  }
  return chosen != max_cpus;
}

// For one that has been queued. A CPU that is taken from another vcpu keeps a limited slice as long
// as that one waits, so that nobody is forgotten.
template <typename P>
void Scheduler<P>::find_cpu_for(Vcpu<P>& vcpu, std::uint64_t now) {
  if (!take_idle_cpu(vcpu) && !take_busy_cpu(vcpu, now)) {
    limit_slices(vcpu.run_node.allowed, now);
  }
}

// A CPU has become idle: one that runs where it would rather not comes here.
template <typename P>
void Scheduler<P>::call_home(unsigned idle_cpu) {
  for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
    const Vcpu<P>* const current = state_[cpu].current;
    if (current != nullptr && (current->run_node.preferred & cpu_bit(idle_cpu)) != 0 &&
        (current->run_node.preferred & cpu_bit(cpu)) == 0) {
      look(cpu);
      return;
    }
  }
}

template <typename P>
bool Scheduler<P>::belongs_elsewhere(const Vcpu<P>& vcpu, unsigned cpu) const {
  const RunNode<P>& node = vcpu.run_node;
  return (node.allowed & cpu_bit(cpu)) == 0 ||
         ((node.preferred & cpu_bit(cpu)) == 0 && (node.preferred & idle_) != 0);
}

template <typename P>
void Scheduler<P>::update_locked(Vcpu<P>& vcpu, std::uint64_t now) {
  const bool runnable = is_runnable(vcpu);
  if (vcpu.running.load()) {
    if (!runnable) {
      look(vcpu.cpu.load());
    }
  } else if (runnable && !vcpu.queued.load()) {
    forgive_lag(vcpu, now);
    set_state(vcpu, RunState::runnable, now);
    enqueue(vcpu);
    find_cpu_for(vcpu, now);
  } else if (!runnable) {
    if (vcpu.queued.load()) {
      dequeue(vcpu);
    }
    if (vcpu.state != resting_state(vcpu)) {
      set_state(vcpu, resting_state(vcpu), now);
    }
  }
}

template <typename P>
void Scheduler<P>::update(Vcpu<P>& vcpu) {
  Guard guard(lock_);
  update_locked(vcpu, platform_.now_ns());
}

template <typename P>
void Scheduler<P>::yield(Vcpu<P>& vcpu) {
  Guard guard(lock_);
  charge(vcpu, platform_.now_ns());
  const unsigned cpu = vcpu.cpu.load();
  if (const QueueNode* const first = queue_.first(cpu_bit(cpu)); first != nullptr) {
    // Behind the first one that waits, else it would be chosen again.
    vcpu.virtual_time = vcpu.virtual_time > first->key ? vcpu.virtual_time : first->key + 1;
    state_[cpu].look.store(true);
  }
}

// The vcpu does not run any more; what becomes of it the caller decides if it is still runnable.
template <typename P>
void Scheduler<P>::stop(Vcpu<P>& vcpu, std::uint64_t now) {
  charge(vcpu, now);
  vcpu.running.store(false);
  Domain<P>& domain = *vcpu.domain;
  if (domain.cap != 0 && domain.budget_ns <= 0 && !domain.parked.load()) {
    park(domain, now);
  }
  if (is_runnable(vcpu)) {
    forgive_lag(vcpu, now);
    set_state(vcpu, RunState::runnable, now);
  } else {
    set_state(vcpu, resting_state(vcpu), now);
  }
}

// One that prefers this CPU goes before others that have had less, up to a slice.
template <typename P>
Vcpu<P>* Scheduler<P>::choose(unsigned cpu) {
  QueueNode* const first = queue_.first(cpu_bit(cpu));
  QueueNode* const preferring = queue_.first_preferring(cpu_bit(cpu));
  if (preferring != nullptr && preferring->key < first->key + slice_ns) {
    return owner(preferring);
  }
  return owner(first);
}

template <typename P>
std::uint64_t Scheduler<P>::slice_end_of(const Vcpu<P>& vcpu, unsigned cpu, std::uint64_t now) {
  const std::uint64_t end = (queue_.waiting() & cpu_bit(cpu)) != 0 ? now + slice_ns : never;
  const Domain<P>& domain = *vcpu.domain;
  if (domain.cap == 0) {
    return end;
  }
  // Its part of what the domain may still run; too small parts would cost more than they are worth.
  const std::uint64_t part =
      domain.budget_ns > 0 ? static_cast<std::uint64_t>(domain.budget_ns) / domain.active : 0;
  const std::uint64_t grant = now + (part > least_grant_ns ? part : least_grant_ns);
  return grant < end ? grant : end;
}

template <typename P>
typename Scheduler<P>::Pick Scheduler<P>::pick(unsigned cpu, std::uint64_t now) {
  Cpu& state = state_[cpu];
  Vcpu<P>* const before = state.current;
  if (before != nullptr && !state.look.load() && now < state.slice_end && is_runnable(*before)) {
    return {before, state.slice_end, false};
  }
  Guard guard(lock_);
  state.look.store(false);
  const bool slice_used = before != nullptr && now >= state.slice_end;
  bool leaves = false;
  if (before != nullptr) {
    stop(*before, now);
    leaves = is_runnable(*before) && belongs_elsewhere(*before, cpu);
    if (is_runnable(*before) && !leaves) {
      enqueue(*before);
    }
  }
  Vcpu<P>* const next = choose(cpu);
  if (before != nullptr && next != before) {
    platform_.switch_out(*before);  // before the lock goes: then any CPU may take it
  }
  state.current = next;
  state.slice_end = never;
  if (next != nullptr) {
    dequeue(*next);
    next->cpu.store(cpu);
    next->running.store(true);
    next->slice_start = now;
    set_state(*next, RunState::running, now);
    state.served = next->virtual_time > state.served ? next->virtual_time : state.served;
    idle_ &= ~cpu_bit(cpu);
  } else {
    idle_ |= cpu_bit(cpu);
    call_home(cpu);
  }
  if (leaves) {
    enqueue(*before);
    find_cpu_for(*before, now);
  }
  if (slice_used && !queue_.empty()) {
    limit_slices(queue_.waiting(), now);  // who waited for this slice may run elsewhere too
  }
  if (next != nullptr) {
    state.slice_end = slice_end_of(*next, cpu, now);
  }
  return {next, state.slice_end, next != before};
}

template <typename P>
typename Scheduler<P>::Runstate Scheduler<P>::runstate(Vcpu<P>& vcpu) {
  Guard guard(lock_);
  Runstate result{vcpu.state, vcpu.state_since, vcpu.state_ns};
  result.ns[static_cast<unsigned>(vcpu.state)] += platform_.now_ns() - vcpu.state_since;
  return result;
}

}  // namespace hyp
