// SPDX-License-Identifier: Apache-2.0
// Record: what a daemon has to know of a domain that an earlier one made, and its form on disk. A
// plain value. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libxl++/config/domain_config.hpp"

namespace xl::toolstack {

// How a domain was asked for, kept for a restart. Paths in the config are absolute and its uuid is
// set.
struct DomainPlan {
  config::DomainConfig config;
  bool ignore_death = false;
};

// What a daemon that is killed was about to do with the domain.
enum class RecordPhase {
  building,    // not finished, nobody was told of it: undone
  running,     // finished: adopted, whatever the guest does
  restarting,  // it ended; the old one goes, a new one is made of the plan
  dying,       // being destroyed: destroyed
};
std::string_view to_string(RecordPhase phase);

// Of a guest to domain 0; the port is the guest's.
struct GuestLine {
  Gfn frame;
  EventPort port;
  bool operator==(const GuestLine&) const = default;
};

struct Record {
  RecordPhase phase = RecordPhase::building;
  DomainPlan plan;
  std::optional<DomId> id;  // none: it was not known yet
  std::chrono::system_clock::time_point created;
  std::chrono::steady_clock::time_point started;  // steady: of this boot of the host
  bool paused = false;                            // by the user
  bool death_seen = false;                        // its shutdown has been acted on
  bool has_loan = false;                          // of memory, until its kernel has come up
  GuestLine console;
  GuestLine store;
  std::string console_log;  // path; empty: none
  // Where the domain's own output begins in a log that another process writes.
  std::uint64_t console_log_start = 0;
};

// One JSON object, with a version.
std::string to_text(const Record& record);
// The inverse. The text is untrusted. Errors: invalid_argument, naming what is wrong.
Result<Record> parse_record(std::string_view text);

}  // namespace xl::toolstack
