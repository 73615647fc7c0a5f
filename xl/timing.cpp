// SPDX-License-Identifier: Apache-2.0
#include "xl/timing.hpp"

#include <time.h>

#include <algorithm>
#include <utility>

namespace xl::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Taken while the program is loaded. What the kernel needed to execute it lies before, and is what
// the process has used of a CPU by then.
Clock::time_point program_start() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return Clock::now() - std::chrono::seconds(used.tv_sec) - std::chrono::nanoseconds(used.tv_nsec);
}

const Clock::time_point started = program_start();

}  // namespace

Timing::Timing() : last_(started) {}

std::uint64_t Timing::since_last() {
  const Clock::time_point now = Clock::now();
  const std::chrono::nanoseconds passed = now - std::exchange(last_, now);
  return static_cast<std::uint64_t>(std::max<std::chrono::nanoseconds::rep>(passed.count(), 0));
}

void Timing::done(std::string phase, std::string note) {
  phases_.push_back({std::move(phase), since_last(), std::move(note)});
}

void Timing::done(std::span<const api::PhaseView> daemon, std::string rest) {
  std::uint64_t left = since_last();
  const std::size_t at = phases_.size();
  for (const api::PhaseView& phase : daemon) {
    // Not more than there was, whatever a daemon says: the sum has to be right.
    const std::uint64_t share = std::min(phase.ns, left);
    phases_.push_back({phase.phase, share, phase.note});
    left -= share;
  }
  phases_.insert(phases_.begin() + static_cast<std::ptrdiff_t>(at), {std::move(rest), left, {}});
}

}  // namespace xl::cli
