// SPDX-License-Identifier: Apache-2.0
// How long a caller waits for the hypervisor (docs/adr/0034).
#pragma once

#include <chrono>
#include <cstdint>

#include "hypervisor-iface/bundled/host_area.hpp"

namespace xl::hv::bundled {

// A deadline that moves on as long as the hypervisor gets on with requests, ours or those before
// it: slow is not hanging.
class Patience {
 public:
  using Clock = std::chrono::steady_clock;

  Patience(const HostArea& area, Clock::time_point start, std::chrono::milliseconds timeout)
      : area_(area),
        timeout_(timeout),
        seen_(area.progress()),
        deadline_(start + timeout),
        end_(start + timeout * longest) {}

  Clock::time_point deadline() const { return deadline_; }
  // At the deadline: whether to wait on.
  bool goes_on() {
    const std::uint64_t now = area_.progress();
    if (now == seen_ || deadline_ >= end_) {
      return false;
    }
    seen_ = now;
    deadline_ += timeout_;
    return true;
  }

 private:
  static constexpr int longest = 60;  // timeouts: whatever the progress words say
  const HostArea& area_;
  const std::chrono::milliseconds timeout_;
  std::uint64_t seen_;
  Clock::time_point deadline_;
  const Clock::time_point end_;
};

}  // namespace xl::hv::bundled
