// SPDX-License-Identifier: Apache-2.0
// Scheduler<P>: shares the physical CPUs among runnable vcpus by weighted virtual time. One queue
// for all CPUs, ordered by virtual time: whoever has had the least runs next, on whichever CPU is
// free. A slice is 10 ms when others wait, without end when nobody does (tickless). A vcpu that
// wakes keeps at most one slice of what it did not use, and takes a CPU at once from one that has
// had clearly more.
//
// Thread rule: any CPU; one lock for queue, current vcpus and states, held for O(log n) steps.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "hypervisor/core/domain.hpp"
#include "hypervisor/core/hypercall_frame.hpp"
#include "hypervisor/core/spinlock.hpp"

namespace hyp {

inline constexpr std::uint64_t slice_ns = 10'000'000;
inline constexpr std::uint64_t wakeup_lead_ns =
    1'000'000;  // how much more the running one must have had

template <typename P>
class Scheduler {
 public:
  constexpr explicit Scheduler(P& platform) : platform_(platform) {}

  void init(unsigned cpus) { cpus_ = cpus; }

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
           !domain.shut_down.load() && !domain.dying.load();
  }

 private:
  struct Cpu {
    Vcpu<P>* current = nullptr;  // under the lock; read by its own CPU without
    std::uint64_t slice_end = never;
    std::atomic<bool> look{true};  // pick() has to go through the queue
    bool idle = false;
  };

  static Vcpu<P>* owner(HeapNode* node) {
    return node == nullptr ? nullptr : static_cast<RunNode<P>*>(node)->vcpu;
  }
  void enqueue(Vcpu<P>& vcpu);
  void find_cpu_for(Vcpu<P>& vcpu, std::uint64_t now);
  void charge(Vcpu<P>& vcpu, std::uint64_t now);
  void set_state(Vcpu<P>& vcpu, RunState state, std::uint64_t now);
  void limit_slices(std::uint64_t now);
  std::uint64_t used(const Vcpu<P>& vcpu, std::uint64_t now) const {
    return vcpu.virtual_time + (now - vcpu.slice_start) * 256 / vcpu.domain->weight;
  }
  void advance_minimum(std::uint64_t now);
  RunState resting_state(const Vcpu<P>& vcpu) const {
    return vcpu.online.load() && vcpu.blocked.load() ? RunState::blocked : RunState::offline;
  }

  P& platform_;
  mutable SpinLock<P> lock_;
  PairingHeap queue_;
  std::uint64_t minimum_ = 0;  // virtual time that has been reached; never goes back
  unsigned cpus_ = 1;
  std::array<Cpu, max_cpus> state_{};
};

}  // namespace hyp

#include "hypervisor/core/scheduler_impl.hpp"
