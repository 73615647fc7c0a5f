// SPDX-License-Identifier: Apache-2.0
// What the tests share that run tiny guests.
#pragma once

#include <string>
#include <string_view>

#include "tests/hypervisor-iface/live_guest.hpp"

namespace xl::hv {

struct GuestEnd {
  std::string output;
  std::optional<ShutdownReason> reason;  // none: it ran until patience ended
};

class GuestConformance : public Conformance {
 protected:
  std::unique_ptr<LiveGuest> start(const GuestRun& run) { return start_guest(hv(), run); }
  // To its end. Leaves no domain.
  GuestEnd run(const GuestRun& run);
  // It prints PASS and its name, and powers off. Returns what it printed.
  std::string passes(const GuestRun& run, const std::string& name = {});
  // The same, and each "fact = value" in that is as expected.
  void sees_what_is_expected(const GuestRun& run);
};

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace xl::hv
