// SPDX-License-Identifier: Apache-2.0
// Domain: what the toolstack knows of one domain that is fully made. Shared between the registry,
// the port table and whoever works on it; none of them keeps the domain itself alive, only the
// record.
//
// Thread rule: const members are free to read; the rest says which lock.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "base/types.hpp"
#include "libxl++/config/domain_config.hpp"
#include "libxl++/console/console.hpp"
#include "libxl++/toolstack/registry.hpp"
#include "libxl++/toolstack/session.hpp"
#include "libxl++/xenstore/guest_link.hpp"

namespace xl::toolstack {

// How a domain was asked for, kept for a restart. Paths in the config are absolute and its uuid is
// set.
struct DomainPlan {
  config::DomainConfig config;
  bool ignore_death = false;
};

struct Domain {
  Domain(std::shared_ptr<Session> session_of, DomId domain_id, Registry::Claim its_claim,
         DomainPlan its_plan)
      : session(std::move(session_of)),
        id(domain_id),
        claim(std::move(its_claim)),
        plan(std::move(its_plan)) {}

  const std::shared_ptr<Session> session;  // first, as what follows refers to it
  const DomId id;
  const std::chrono::system_clock::time_point created = std::chrono::system_clock::now();
  const std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();

  // Its two lines to domain 0; set before it is published, and locked by themselves.
  std::unique_ptr<console::Console> console;
  std::unique_ptr<xenstore::GuestLink> store;
  std::atomic<EventPort> console_port;  // a soft reset changes them
  std::atomic<EventPort> store_port;
  std::atomic_flag console_queued;  // waits for the event thread already
  std::atomic_flag store_queued;

  // One change at a time: destroy, restart, rename, pause. Never taken by the event thread.
  std::mutex lifecycle;
  Registry::Claim claim;    // lifecycle
  DomainPlan plan;          // lifecycle
  bool paused = true;       // lifecycle; by the user
  bool lines_cut = false;   // lifecycle; console and store have ended
  bool death_seen = false;  // lifecycle; its shutdown has been acted on
};

}  // namespace xl::toolstack
