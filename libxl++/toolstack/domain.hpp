// SPDX-License-Identifier: Apache-2.0
// Domain: what the toolstack knows of one domain that is fully made. Shared between the registry,
// the port table and whoever works on it; none of them keeps the domain itself alive, only the
// record.
//
// Thread rule: const members are free to read; the rest says which lock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/types.hpp"
#include "libxl++/config/domain_config.hpp"
#include "libxl++/console/console.hpp"
#include "libxl++/toolstack/bell.hpp"
#include "libxl++/toolstack/record.hpp"
#include "libxl++/toolstack/registry.hpp"
#include "libxl++/toolstack/session.hpp"
#include "libxl++/xenstore/guest_link.hpp"
#include "libxl++/xenstore/node_store.hpp"

namespace xl::toolstack {

struct Domain {
  Domain(std::shared_ptr<Session> session_of, DomId domain_id, Registry::Claim its_claim,
         DomainPlan its_plan)
      : session(std::move(session_of)),
        id(domain_id),
        claim(std::move(its_claim)),
        plan(std::move(its_plan)) {
    handle = plan.config.uuid.value_or(config::Uuid()).octets();
    memory_target = plan.config.memory.count();
  }
  // One that is there already: an earlier daemon made it, or another toolstack.
  Domain(std::shared_ptr<Session> session_of, DomId domain_id, Registry::Claim its_claim,
         Record found, bool is_others = false)
      : session(std::move(session_of)),
        id(domain_id),
        created(found.created),
        started(found.started),
        console_line(found.console),
        store_line(found.store),
        console_log_start(found.console_log_start),
        claim(std::move(its_claim)),
        plan(std::move(found.plan)),
        phase(found.phase),
        paused(found.paused),
        death_seen(found.death_seen),
        has_loan(found.has_loan),
        is_foreign(is_others),
        is_adopted(true) {}

  const std::shared_ptr<Session> session;  // first, as what follows refers to it
  const DomId id;
  const std::chrono::system_clock::time_point created = std::chrono::system_clock::now();
  const std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();

  std::string record;  // key of its record; set before it is published
  // Its two lines to domain 0; set before it is published, and locked by themselves.
  std::unique_ptr<console::Console> console;
  std::unique_ptr<xenstore::GuestLink> store;
  std::atomic<EventPort> console_port;  // a soft reset changes them
  std::atomic<EventPort> store_port;
  std::atomic<std::uint64_t> memory_target{0};      // bytes; as in xenstore's memory/target
  std::atomic<bool> booted{false};                  // event thread writes
  std::unique_ptr<xenstore::NodeWatch> boot_watch;  // event thread; until then
  std::unique_ptr<xenstore::NodeWatch> name_watch;  // event thread; on a Xen host
  std::atomic_flag console_queued;                  // waits for the event thread already
  std::atomic_flag store_queued;

  Bell vcpu_bell;                               // a vcpu came or went, or the domain stopped
  std::atomic<std::uint64_t> vcpu_requests{0};  // the latest one counts

  // The hypervisor's, and libxl's for its files: the UUID that it was made with. Set before it is
  // published.
  hv::DomainHandle handle{};
  GuestLine console_line;               // lifecycle, once published
  GuestLine store_line;                 // the same
  std::uint64_t console_log_start = 0;  // the same; of a log that another process writes

  // Held while its memory is being read for a core file, a few MiB at a time: its frames must not
  // become another's meanwhile. After lifecycle.
  std::mutex memory_use;
  bool memory_gone = false;  // memory_use

  // One change at a time: destroy, restart, rename, pause. Never taken by the event thread.
  std::mutex lifecycle;
  Registry::Claim claim;                      // lifecycle
  DomainPlan plan;                            // lifecycle
  RecordPhase phase = RecordPhase::building;  // lifecycle
  bool paused = true;                         // lifecycle; by the user
  std::atomic<bool> lines_cut{false};         // lifecycle to write; console and store have ended
  bool death_seen = false;                    // lifecycle; its shutdown has been acted on
  unsigned console_looks = 0;                 // lifecycle; since its shutdown
  bool console_awaited = false;               // lifecycle; the next look is under way
  std::string last_line;                      // lifecycle; of a domain that has shut down
  std::atomic<bool> has_loan{false};          // lifecycle to write; memory beyond its target
  bool loan_is_ending = false;                // lifecycle; it will be asked for that soon
  const bool is_foreign = false;              // another toolstack made it, and acts on its end
  bool is_adopted = false;                    // nobody knows how often a dead daemon had paused it
};

}  // namespace xl::toolstack
