// SPDX-License-Identifier: Apache-2.0
// What happens to domains, as values for whoever listens. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/types.hpp"
#include "hypervisor-iface/hypervisor.hpp"

namespace xl::toolstack {

struct DomainEnd {  // how a domain ended
  DomId id;
  std::optional<hv::ShutdownReason> reason;  // none: destroyed
  std::string last_console_line;
  std::string report;  // what the hypervisor logged of a crash or a triple fault, may be empty
  std::string action;  // "destroy", "restart", "preserve", or "lost": the hypervisor died
  std::optional<DomId> successor;  // after a restart; none: it failed, and report says why
  std::string cause;  // "triple fault", which is a reboot to the hypervisor; else empty
};

// A fact of an event beside domid and name: "vcpus" 4, "target_kib" 262144, "file" "/var/...".
struct EventDetail {
  std::string key;
  std::variant<bool, std::uint64_t, std::string> value;
};
using EventDetails = std::vector<EventDetail>;

// `shutdown`: it stopped by itself; `end` says why and what is about to be done. `ended`: it does
// not exist any more.
struct LifecycleEvent {
  enum class Kind {
    created,
    unpaused,
    paused,
    shutdown,
    ended,
    renamed,
    booted,     // the guest's kernel has come up and takes control/shutdown; docs/adr/0105
    adopted,    // this daemon found it running
    vcpus,      // number of online vcpus, affinity or scheduling parameters changed
    memory,     // memory target or maximum changed
    trigger,    // the toolstack asked the guest for something: shutdown, reboot, sysrq, nmi, ...
    watchdog,   // its watchdog ran out
    quota,      // it hit a limit of the xenstore
    coredump,   // its memory was written to a file
    restarted,  // it is kept (rename-restart), and end->successor has its place; none: that failed
    resumed,    // it runs on after its shutdown: a soft reset
  };
  Kind kind = Kind::created;
  DomId id;
  std::string name;
  std::optional<DomainEnd> end;  // of shutdown and ended
  EventDetails details;
  // Filled in by the engine. Numbers rise, also from one daemon to the next, and may have gaps.
  std::uint64_t sequence = 0;
  std::chrono::system_clock::time_point time{};
};

}  // namespace xl::toolstack
