// SPDX-License-Identifier: Apache-2.0
// Runs a tiny guest of tests/guests over the waist, with the builder and nothing above it: no
// xenstore, and a console that is read here.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "tests/hypervisor-iface/conformance.hpp"

namespace xl::hv {

struct GuestRun {
  std::string name;  // "hello"
  std::string command_line = {};
  Bytes memory = mib(16);
  std::uint32_t vcpus = 1;
  std::uint32_t max_vcpus = 0;  // 0: as many as vcpus
  std::chrono::seconds patience{60};
};

struct GuestEnd {
  std::string output;                    // of the console, "\r\n" as "\n"
  std::optional<ShutdownReason> reason;  // none: it ran until patience ended
};

// Leaves no domain. Fails the test if it cannot be built.
GuestEnd run_guest(Hypervisor& hypervisor, const GuestRun& run);

}  // namespace xl::hv
