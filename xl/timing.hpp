// SPDX-License-Identifier: Apache-2.0
// Timing: where a command's time goes, from its first instruction on, without a gap: each moment
// belongs to one phase, so that the phases add up to the whole. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libxl++/api/wire.hpp"

namespace xl::cli {

class Timing {
 public:
  // Its first phase began when the program did.
  Timing();

  // Ends a phase: it took the time since the last one ended.
  void done(std::string phase, std::string note = {});
  // The same for a request, whose time the daemon accounts for in part; `rest` is the phase of what
  // it does not.
  void done(std::span<const api::PhaseView> daemon, std::string rest);

  const std::vector<api::PhaseView>& phases() const { return phases_; }

 private:
  std::uint64_t since_last();  // ns

  std::vector<api::PhaseView> phases_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace xl::cli
