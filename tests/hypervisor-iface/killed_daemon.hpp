// SPDX-License-Identifier: Apache-2.0
// A daemon in a process of its own that makes and ends domains from several threads, until it is
// killed; and what it says, in memory that outlives it, of what it had come to.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>

#include "hypervisor-iface/bundled/bundled_hypervisor.hpp"

namespace xl::hv::bundled {

// Of one thread of the daemon. Written before and after each step: what a kill cuts off lies in
// between.
struct Progress {
  enum Step : std::uint32_t { idle, creating, made, ending };
  std::atomic<std::uint32_t> step{idle};
  std::atomic<std::uint32_t> domain{0};  // with made and ending
  std::atomic<std::uint32_t> pages{0};   // surely populated
  std::atomic<std::uint32_t> ports{0};   // surely bound
  std::atomic<std::uint32_t> down{0};    // surely shut down
};

struct Ledger {
  static constexpr unsigned workers = 4;
  std::array<Progress, workers> progress;
  std::atomic<std::uint32_t> cycles{0};
  std::atomic<std::uint32_t> attached{0};  // start() has returned
  std::atomic<std::uint32_t> failures{0};  // answers that were errors
};

// In memory that this process and its children share.
Ledger& shared_ledger();

// Runs `life` in a child, which has no thread of ours. Returns its pid.
pid_t fork_daemon(const std::function<void()>& life);
void kill_daemon(pid_t pid);

// A daemon's life: start(), then domains come and go for ever.
void churn(const Options& options, Ledger& ledger, std::uint64_t seed);

}  // namespace xl::hv::bundled
