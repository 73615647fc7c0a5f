// SPDX-License-Identifier: Apache-2.0
// Bell: wakes those who wait for news. Whoever rings does not care who listens; whoever listens
// misses no ring that came after it last looked.
//
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace xl::toolstack {

class Bell {
 public:
  using Clock = std::chrono::steady_clock;

  void ring() {
    {
      const std::lock_guard lock(mutex_);
      ++rings_;
    }
    rung_.notify_all();
  }
  // To be given to wait(); taken before the listener looks at what the bell is about.
  std::uint64_t rings() const {
    const std::lock_guard lock(mutex_);
    return rings_;
  }
  // Until it has rung since `seen`, the deadline, or the cancel.
  void wait(std::uint64_t seen, Clock::time_point deadline, const std::stop_token& cancel) {
    std::unique_lock lock(mutex_);
    rung_.wait_until(lock, cancel, deadline, [&] { return rings_ != seen; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any rung_;
  std::uint64_t rings_ = 0;
};

}  // namespace xl::toolstack
