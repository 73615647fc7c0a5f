// SPDX-License-Identifier: Apache-2.0
// PhaseClock: how long each phase of a build took.
#pragma once

#include <chrono>
#include <vector>

#include "libdomainbuilder/build.hpp"

namespace xl::build {

class PhaseClock {
 public:
  explicit PhaseClock(std::vector<PhaseTime>& phases) : phases_(phases) {}

  // Ends a phase: it took the time since the last one ended.
  void done(const char* phase, const char* note = "") {
    const auto now = std::chrono::steady_clock::now();
    phases_.push_back({phase, now - last_, note});
    last_ = now;
  }

 private:
  std::vector<PhaseTime>& phases_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace xl::build
