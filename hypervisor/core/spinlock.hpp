// SPDX-License-Identifier: Apache-2.0
// SpinLock<P>: test and set, spinning with P::relax(). Not fair on purpose: the CPUs are threads of
// an emulator, and a queue would wait for whichever of them the host has put to sleep.
// Freestanding.
#pragma once

#include <atomic>

namespace hyp {

template <typename P>
class SpinLock {
 public:
  constexpr SpinLock() = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  void lock() {
    while (!try_lock()) {
      while (held_.load(std::memory_order_relaxed)) {
        P::relax();
      }
    }
  }
  bool try_lock() { return !held_.exchange(true, std::memory_order_acquire); }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> held_{false};
};

// Holds the lock as long as it lives.
template <typename Lock>
class [[nodiscard]] Guard {
 public:
  explicit Guard(Lock& lock) : lock_(lock) { lock_.lock(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { lock_.unlock(); }

 private:
  Lock& lock_;
};

}  // namespace hyp
