// SPDX-License-Identifier: Apache-2.0
// The daemon's life, whatever hypervisor it drives: lock, log, toolstack, socket, signals, end.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/check.hpp"
#include "base/error.hpp"
#include "libxl++/toolstack/toolstack.hpp"
#include "xld/options.hpp"

namespace xl::daemon {

struct Backend {
  toolstack::HypervisorFactory start;
  toolstack::HypervisorFactory attach;  // null if an earlier daemon left none
  // Ends whatever hypervisor runs, also one that does not answer; while no toolstack has it.
  std::function<Result<void>()> end;
  // The hypervisor is the host's, which has these; none: ours, and xld serves the domains itself.
  std::optional<toolstack::HostServices> host = {};
  // Whether it could run on this machine (xl doctor); empty: nothing is known of it.
  std::function<std::vector<Check>()> probe = {};
};

// Serves until it is told to stop. Error: why it could not start.
Result<void> serve(const Options& options, Backend backend);

// main(): parses, serves, prints the one error. `choose` makes the backend from the options.
int run(int count, char** words, const std::function<Backend(const Options&)>& choose);

}  // namespace xl::daemon
