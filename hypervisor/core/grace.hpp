// SPDX-License-Identifier: Apache-2.0
// Grace<P>: tells when every CPU has let go of what it found before (a domain by its id, a frame by
// its gfn). A CPU holds such pointers only between two of its calls of schedule(). Freestanding.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "hypervisor/core/platform.hpp"

namespace hyp {

template <typename P>
class Grace {
 public:
  constexpr explicit Grace(P& platform) : platform_(platform) {}

  // --- by each CPU
  void passed(unsigned cpu) { cpus_[cpu].passes.fetch_add(1); }  // at the end of schedule()
  void sleeps(unsigned cpu) { cpus_[cpu].asleep.store(true); }   // holds nothing until it awakes
  void awakes(unsigned cpu) { cpus_[cpu].asleep.store(false); }

  // --- by whoever waits, one at a time
  void start(unsigned count) {
    count_ = count;
    for (unsigned cpu = 0; cpu < count_; ++cpu) {
      start_[cpu] = cpus_[cpu].passes.load();
      kicked_at_[cpu] = start_[cpu];
      platform_.kick_cpu(cpu);
    }
  }
  // Twice: the first pass may have chosen its vcpu before the start. A CPU that has come half the
  // way is kicked again.
  bool elapsed() {
    bool all = true;
    for (unsigned cpu = 0; cpu < count_; ++cpu) {
      const std::uint64_t passes = cpus_[cpu].passes.load();
      if (passes - start_[cpu] >= 2 || cpus_[cpu].asleep.load()) {
        continue;
      }
      all = false;
      if (passes != kicked_at_[cpu]) {
        kicked_at_[cpu] = passes;
        platform_.kick_cpu(cpu);
      }
    }
    return all;
  }

 private:
  struct Cpu {
    std::atomic<std::uint64_t> passes{0};
    std::atomic<bool> asleep{false};
  };

  P& platform_;
  unsigned count_ = 0;
  std::array<Cpu, max_cpus> cpus_{};
  std::array<std::uint64_t, max_cpus> start_{};
  std::array<std::uint64_t, max_cpus> kicked_at_{};
};

}  // namespace hyp
