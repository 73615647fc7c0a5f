// SPDX-License-Identifier: Apache-2.0
// LiveGuest runs a tiny guest of tests/guests over the waist, with the builder and nothing above
// it: the test is the toolstack, and sits at the other end of the rings.
//
// One thread. What fails fails the test.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libdomainbuilder/build.hpp"
#include "libxl++/console/ring.hpp"
#include "tests/hypervisor-iface/conformance.hpp"

namespace xl::hv {

struct GuestRun {
  std::string name;  // "hello"
  std::string command_line = {};
  Bytes memory = mib(16);
  std::uint32_t vcpus = 1;
  std::uint32_t max_vcpus = 0;  // 0: as many as vcpus
  Bytes max_memory{};           // what is more than memory comes on demand
  std::chrono::seconds patience{60};
};

class LiveGuest {
 public:
  // Built, its console bound, and unpaused.
  static Result<std::unique_ptr<LiveGuest>> start(Hypervisor& hypervisor, const GuestRun& run);
  LiveGuest(const LiveGuest&) = delete;
  LiveGuest& operator=(const LiveGuest&) = delete;
  ~LiveGuest();  // destroys it

  DomId id() const { return id_; }
  const build::BuiltDomain& built() const { return built_; }
  // Of the console since the start, "\r\n" as "\n".
  const std::string& output() const { return output_; }
  // Of the last look; none: it runs.
  std::optional<ShutdownReason> reason() const { return reason_; }

  // Waits for an event, or a moment, and looks.
  void look();
  // Looks until it is so; false if patience ends or the domain does before.
  bool until(const std::function<bool()>& done);
  bool until_it_says(std::string_view text);
  // True if it has shut down.
  bool until_it_ends();
  void type(std::string_view text);
  // What a toolstack does after SHUTDOWN_soft_reset: new ports for the same rings; then it runs on.
  void reset_softly();

 private:
  LiveGuest(Hypervisor& hypervisor, DomId id, std::chrono::seconds patience)
      : hypervisor_(hypervisor), id_(id), patience_(patience) {}
  Result<void> build(const build::Prepared& prepared);
  Result<void> try_to_look();
  Result<void> try_to_reset();
  void take_output();

  Hypervisor& hypervisor_;
  const DomId id_;
  const std::chrono::seconds patience_;
  build::BuiltDomain built_;
  GuestMapping console_page_;
  std::optional<console::Ring> console_;
  EventPort console_port_;  // ours
  std::string output_;
  std::optional<ShutdownReason> reason_;
};

// Null, and the test fails, if it cannot be built.
std::unique_ptr<LiveGuest> start_guest(Hypervisor& hypervisor, const GuestRun& run);

}  // namespace xl::hv
