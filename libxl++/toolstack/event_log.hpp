// SPDX-License-Identifier: Apache-2.0
// EventLog: numbers the events and keeps the last of them, for those who ask later.
//
// Thread rule: every function from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "libxl++/toolstack/event.hpp"

namespace xl::toolstack {

class EventLog {
 public:
  // Keeps `limit` events. Numbers begin at the time of day in microseconds, so that those of the
  // next daemon are higher: nobody emits a million events a second.
  explicit EventLog(std::size_t limit = 1024);

  // Fills in number and time and keeps a copy. `next` gets the event under the log's lock, so that
  // it sees all events in their order; it must not come back here.
  void add(LifecycleEvent event, const std::function<void(const LifecycleEvent&)>& next);
  // Those with a number above `sequence`, oldest first.
  std::vector<LifecycleEvent> after(std::uint64_t sequence) const;
  // How many of each kind there were, forgotten ones too.
  std::map<LifecycleEvent::Kind, std::uint64_t> counts() const;

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::uint64_t last_;
  std::deque<LifecycleEvent> events_;
  std::map<LifecycleEvent::Kind, std::uint64_t> counts_;
};

}  // namespace xl::toolstack
