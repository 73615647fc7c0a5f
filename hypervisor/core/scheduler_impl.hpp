// SPDX-License-Identifier: Apache-2.0
// Definitions of Scheduler<P>.
#pragma once

#include "hypervisor/core/scheduler.hpp"

namespace hyp {

template <typename P>
void Scheduler<P>::set_state(Vcpu<P>& vcpu, RunState state, std::uint64_t now) {
  vcpu.state_ns[static_cast<unsigned>(vcpu.state)] += now - vcpu.state_since;
  vcpu.state = state;
  vcpu.state_since = now;
}

// What it ran since it got the CPU, or since the last charge, in weighted time.
template <typename P>
void Scheduler<P>::charge(Vcpu<P>& vcpu, std::uint64_t now) {
  vcpu.virtual_time = used(vcpu, now);
  vcpu.slice_start = now;
}

// The least that anybody who runs or waits has had: whoever joins starts near it.
template <typename P>
void Scheduler<P>::advance_minimum(std::uint64_t now) {
  std::uint64_t least = queue_.empty() ? never : queue_.top()->key;
  for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
    if (const Vcpu<P>* const current = state_[cpu].current; current != nullptr) {
      const std::uint64_t has_had = used(*current, now);
      least = has_had < least ? has_had : least;
    }
  }
  if (least != never && least > minimum_) {
    minimum_ = least;
  }
}

template <typename P>
void Scheduler<P>::enqueue(Vcpu<P>& vcpu) {
  vcpu.queued = true;
  queue_.push(vcpu.run_node, vcpu.virtual_time);
}

// Somebody waits now: no CPU goes on without end.
template <typename P>
void Scheduler<P>::limit_slices(std::uint64_t now) {
  for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
    Cpu& state = state_[cpu];
    if (state.current != nullptr && state.slice_end == never) {
      const std::uint64_t end = state.current->slice_start + slice_ns;
      state.slice_end = end > now ? end : now;
      state.look.store(state.slice_end == now || state.look.load());
      if (cpu != platform_.cpu_id()) {
        platform_.kick_cpu(cpu);  // it programs the new deadline
      }
    }
  }
}

// An idle CPU, the last one first; else the one whose vcpu has had the most, if that is clearly
// more.
template <typename P>
void Scheduler<P>::find_cpu_for(Vcpu<P>& vcpu, std::uint64_t now) {
  const unsigned last = vcpu.cpu.load();
  unsigned chosen = max_cpus;
  std::uint64_t most = vcpu.virtual_time + wakeup_lead_ns;
  for (unsigned i = 0; i < cpus_; ++i) {
    const unsigned cpu = (last + i) % cpus_;
    Cpu& state = state_[cpu];
    if (state.current == nullptr) {
      if (state.idle) {
        state.idle = false;
        chosen = cpu;
        break;
      }
      continue;  // on its way to the queue already
    }
    const std::uint64_t has_had = used(*state.current, now);
    if (has_had > most && !state.look.load()) {
      most = has_had;
      chosen = cpu;
    }
  }
  if (chosen != max_cpus) {
    state_[chosen].look.store(true);
    platform_.kick_cpu(chosen);
    if (state_[chosen].current == nullptr) {
      return;
    }
  }
  limit_slices(now);
}

template <typename P>
void Scheduler<P>::update(Vcpu<P>& vcpu) {
  Guard guard(lock_);
  const bool runnable = is_runnable(vcpu);
  const std::uint64_t now = platform_.now_ns();
  if (vcpu.running.load()) {
    if (!runnable) {
      state_[vcpu.cpu.load()].look.store(true);
      platform_.kick_cpu(vcpu.cpu.load());
    }
    return;
  }
  if (runnable && !vcpu.queued.load()) {
    advance_minimum(now);
    // What it did not use while it slept counts for one slice at most.
    const std::uint64_t floor = minimum_ > slice_ns ? minimum_ - slice_ns : 0;
    vcpu.virtual_time = vcpu.virtual_time > floor ? vcpu.virtual_time : floor;
    set_state(vcpu, RunState::runnable, now);
    enqueue(vcpu);
    find_cpu_for(vcpu, now);
  } else if (!runnable) {
    if (vcpu.queued.load()) {
      queue_.erase(vcpu.run_node);
      vcpu.queued = false;
    }
    if (vcpu.state != resting_state(vcpu)) {
      set_state(vcpu, resting_state(vcpu), now);
    }
  }
}

template <typename P>
void Scheduler<P>::yield(Vcpu<P>& vcpu) {
  Guard guard(lock_);
  charge(vcpu, platform_.now_ns());
  if (HeapNode* const top = queue_.top(); top != nullptr) {
    // Behind the first one that waits, else it would be chosen again.
    vcpu.virtual_time = vcpu.virtual_time > top->key ? vcpu.virtual_time : top->key + 1;
    state_[vcpu.cpu.load()].look.store(true);
  }
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
  if (before != nullptr) {
    charge(*before, now);
    before->running.store(false);
    if (is_runnable(*before)) {
      set_state(*before, RunState::runnable, now);
      enqueue(*before);
    } else {
      set_state(*before, resting_state(*before), now);
    }
  }
  Vcpu<P>* const next = owner(queue_.pop());
  if (before != nullptr && next != before) {
    platform_.switch_out(*before);  // before the lock goes: then any CPU may take it
  }
  state.current = next;
  state.idle = next == nullptr;
  state.slice_end = never;
  if (next == nullptr) {
    return {nullptr, never, before != nullptr};
  }
  next->queued.store(false);
  next->cpu.store(cpu);
  next->running.store(true);
  next->slice_start = now;
  set_state(*next, RunState::running, now);
  minimum_ = next->virtual_time > minimum_ ? next->virtual_time : minimum_;
  if (!queue_.empty()) {
    state.slice_end = now + slice_ns;
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
