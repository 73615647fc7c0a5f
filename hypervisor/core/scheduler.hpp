// SPDX-License-Identifier: Apache-2.0
// Scheduler<P>: shares the physical CPUs among runnable vcpus by weighted virtual time, in the
// terms of Xen's credit2 (weight, cap, hard and soft affinity). One queue for all CPUs, ordered by
// virtual time: a CPU that is free takes the vcpu that has had the least of those that may run
// there. docs/adr/0070-affinity-weight-cap.md says why.
//
//  - Weight: each vcpu's virtual time passes at 256 / weight of its domain.
//  - Slices: 10 ms when others wait for the CPU, without end when nobody does (tickless).
//  - Waking: a vcpu keeps at most one slice of what it did not use, and takes a CPU at once from
//    one that has had clearly more. It costs other CPUs nothing unless it waits for a whole slice.
//  - Hard affinity holds always. Soft affinity orders the choice: idle CPUs, CPUs to take, vcpus
//    to run; it makes nobody wait for longer than a slice and no CPU idle.
//  - Cap: a domain earns cap per cent of the passing time, up to what 20 ms earn, and pays for
//    what its vcpus run. Without budget all of them are parked until it has what 10 ms earn.
//
// Thread rule: any CPU; one lock for queue, current vcpus and states, held for O(log n) steps in
// the number of vcpus that wait, plus O(CPUs), plus the vcpus of one domain when it is parked.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "hypervisor/core/domain.hpp"
#include "hypervisor/core/hypercall_frame.hpp"
#include "hypervisor/core/run_queue.hpp"
#include "hypervisor/core/spinlock.hpp"
#include "hypervisor/core/timers.hpp"

namespace hyp {

inline constexpr std::uint64_t slice_ns = 10'000'000;
inline constexpr std::uint64_t wakeup_lead_ns =
    1'000'000;  // how much more the running one must have had
inline constexpr std::uint64_t budget_period_ns = 10'000'000;
inline constexpr std::uint64_t least_grant_ns = 1'000'000;  // of a capped domain's budget at once
inline constexpr std::uint32_t default_weight = 256;

template <typename P>
class Scheduler {
 public:
  constexpr Scheduler(P& platform, Timers<P>& timers) : platform_(platform), timers_(timers) {}

  void init(unsigned cpus) {
    cpus_ = cpus;
    all_cpus_ = cpus >= 64 ? every_cpu : cpu_bit(cpus) - 1;
  }
  CpuMask all_cpus() const { return all_cpus_; }

  // The vcpu that runs on `cpu` next, and when to ask again. With `switched` if it is another one
  // than before.
  struct Pick {
    Vcpu<P>* vcpu = nullptr;
    std::uint64_t slice_end = never;
    bool switched = false;
  };
  Pick pick(unsigned cpu, std::uint64_t now);

  // The vcpu may have become runnable, or not runnable: puts it where it belongs. Kicks a CPU when
  // one has to look.
  void update(Vcpu<P>& vcpu);
  // Lets others of the same or less virtual time go first.
  void yield(Vcpu<P>& vcpu);
  // Makes the vcpu's CPU look at its state, if it runs elsewhere.
  void kick(const Vcpu<P>& vcpu) {
    if (vcpu.running.load() && vcpu.cpu.load() != platform_.cpu_id()) {
      platform_.kick_cpu(vcpu.cpu.load());
    }
  }
  bool wants_attention(unsigned cpu) const { return state_[cpu].look.load(); }
  void look_again(unsigned cpu) {
    state_[cpu].look.store(true);
    platform_.kick_cpu(cpu);
  }

  // --- parameters
  // Each set has one of all_cpus() at least. A vcpu that runs where it may not any more leaves at
  // once.
  void set_affinity(Vcpu<P>& vcpu, CpuMask hard, CpuMask soft);
  struct Share {
    std::uint32_t weight = default_weight;  // 1..65535
    std::uint32_t cap = 0;                  // per cent of one CPU; 0: none
  };
  void set_share(Domain<P>& domain, Share share);
  Share share(const Domain<P>& domain) const {
    Guard guard(lock_);
    return {domain.weight, domain.cap};
  }
  // The domain's budget timer is due.
  void budget_earned(Domain<P>& domain);

  // Times per RunState until now.
  struct Runstate {
    RunState state = RunState::offline;
    std::uint64_t since = 0;
    std::array<std::uint64_t, 4> ns{};
  };
  Runstate runstate(Vcpu<P>& vcpu);

  static bool is_runnable(const Vcpu<P>& vcpu) {
    const Domain<P>& domain = *vcpu.domain;
    return vcpu.online.load() && !vcpu.blocked.load() && domain.pauses.load() == 0 &&
           !domain.shut_down.load() && !domain.dying.load() && !domain.parked.load();
  }

 private:
  struct Cpu {
    Vcpu<P>* current = nullptr;  // under the lock; read by its own CPU without
    std::uint64_t slice_end = never;
    std::uint64_t served = 0;      // virtual time that vcpus here have reached; never goes back
    std::atomic<bool> look{true};  // pick() has to go through the queue
  };

  static Vcpu<P>* owner(QueueNode* node) {
    return node == nullptr ? nullptr : static_cast<RunNode<P>*>(node)->vcpu;
  }
  // All below: with the lock held.
  void update_locked(Vcpu<P>& vcpu, std::uint64_t now);
  void enqueue(Vcpu<P>& vcpu);
  void dequeue(Vcpu<P>& vcpu);
  void find_cpu_for(Vcpu<P>& vcpu, std::uint64_t now);
  bool take_idle_cpu(const Vcpu<P>& vcpu);
  bool take_busy_cpu(const Vcpu<P>& vcpu, std::uint64_t now);
  void call_home(unsigned idle_cpu);
  void stop(Vcpu<P>& vcpu, std::uint64_t now);
  Vcpu<P>* choose(unsigned cpu);
  std::uint64_t slice_end_of(const Vcpu<P>& vcpu, unsigned cpu, std::uint64_t now);
  void look(unsigned cpu) {
    state_[cpu].look.store(true);
    platform_.kick_cpu(cpu);
  }
  bool belongs_elsewhere(const Vcpu<P>& vcpu, unsigned cpu) const;
  void charge(Vcpu<P>& vcpu, std::uint64_t now);
  void set_state(Vcpu<P>& vcpu, RunState state, std::uint64_t now);
  void limit_slices(CpuMask cpus, std::uint64_t now);
  std::uint64_t used(const Vcpu<P>& vcpu, std::uint64_t now) const {
    return vcpu.virtual_time + (now - vcpu.slice_start) * default_weight / vcpu.domain->weight;
  }
  std::uint64_t reached(const Vcpu<P>& vcpu, std::uint64_t now) const;
  void forgive_lag(Vcpu<P>& vcpu, std::uint64_t now);
  RunState resting_state(const Vcpu<P>& vcpu) const {
    return vcpu.online.load() && vcpu.blocked.load() ? RunState::blocked : RunState::offline;
  }
  // --- caps
  static std::int64_t period_budget(const Domain<P>& domain) {
    return static_cast<std::int64_t>(budget_period_ns * domain.cap / 100);
  }
  void earn(Domain<P>& domain, std::uint64_t now);
  void park(Domain<P>& domain, std::uint64_t now);
  void unpark(Domain<P>& domain, std::uint64_t now);

  P& platform_;
  Timers<P>& timers_;
  mutable SpinLock<P> lock_;
  RunQueue queue_;
  unsigned cpus_ = 1;
  CpuMask all_cpus_ = 1;
  CpuMask idle_ = 0;  // CPUs with nothing to run that nobody has called
  std::array<Cpu, max_cpus> state_{};
};

}  // namespace hyp

#include "hypervisor/core/scheduler_impl.hpp"
#include "hypervisor/core/scheduler_share.hpp"
