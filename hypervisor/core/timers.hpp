// SPDX-License-Identifier: Apache-2.0
// Timers<P>: the deadlines of vcpus, in one heap per physical CPU. A timer lies in the heap of the
// CPU that armed it and fires there, even if the vcpu has moved on. Any CPU; one lock per heap.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "hypervisor/core/spinlock.hpp"
#include "hypervisor/core/vcpu.hpp"

namespace hyp {

template <typename P>
class Timers {
 public:
  constexpr explicit Timers(P& platform) : platform_(platform) {}

  // Replaces an earlier deadline. Any CPU, for any vcpu's timer. Nothing for a domain that dies: a
  // timer that fires at this moment may still want to go on.
  void arm(Timer<P>& timer, std::uint64_t deadline) {
    Guard one_at_a_time(timer.lock);
    take_out(timer);
    const unsigned cpu = platform_.cpu_id();
    Heap& heap = heaps_[cpu];
    Guard guard(heap.lock);
    if (timer.vcpu->domain->dying.load()) {
      return;
    }
    timer.cpu.store(static_cast<std::uint16_t>(cpu));
    timer.armed.store(true);
    heap.heap.push(timer, deadline);
    heap.next.store(heap.heap.top()->key);
  }

  void cancel(Timer<P>& timer) {
    if (timer.armed.load()) {
      Guard one_at_a_time(timer.lock);
      take_out(timer);
    }
  }

  // When it returns, every arm() that has not seen what the caller stored before can be seen, to be
  // cancelled.
  void settle() {
    for (Heap& heap : heaps_) {
      Guard guard(heap.lock);
    }
  }

  // The next deadline of this CPU, or never.
  std::uint64_t next(unsigned cpu) const { return heaps_[cpu].next.load(); }

  // Takes out one timer that is due; null: none. The caller fires it without holding a lock of this
  // class.
  Timer<P>* expire(unsigned cpu, std::uint64_t now) {
    Heap& heap = heaps_[cpu];
    if (heap.next.load() > now) {
      return nullptr;
    }
    Guard guard(heap.lock);
    HeapNode* const top = heap.heap.top();
    if (top == nullptr || top->key > now) {
      return nullptr;
    }
    heap.heap.pop();
    heap.next.store(heap.heap.empty() ? never : heap.heap.top()->key);
    auto* const timer = static_cast<Timer<P>*>(top);
    timer->armed.store(false);
    return timer;
  }

 private:
  struct Heap {
    SpinLock<P> lock;
    PairingHeap heap;
    std::atomic<std::uint64_t> next{never};
  };

  // With the timer's lock, so that it is in one heap at most; expire() may be faster.
  void take_out(Timer<P>& timer) {
    if (!timer.armed.load()) {
      return;
    }
    Heap& heap = heaps_[timer.cpu.load()];
    Guard guard(heap.lock);
    if (timer.armed.load()) {
      heap.heap.erase(timer);
      timer.armed.store(false);
      heap.next.store(heap.heap.empty() ? never : heap.heap.top()->key);
    }
  }

  P& platform_;
  std::array<Heap, max_cpus> heaps_{};
};

}  // namespace hyp
