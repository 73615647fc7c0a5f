// SPDX-License-Identifier: Apache-2.0
// EventFeed: the lifecycle events as they come, one at a time, from one xld. When that has gone, a
// new feed goes on behind the last event of the old one. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "libxl++/api/client.hpp"
#include "xl/command.hpp"

namespace xl::cli {

class EventFeed {
 public:
  // With `after`, first the kept events with a higher number.
  static Outcome<EventFeed> open(api::Client& client, std::optional<std::uint64_t> after);

  int fd() const { return stream_.fd(); }  // for poll; readable: call receive

  struct Event {
    std::string line;  // the JSON as it came
    api::EventView view;
  };
  // Without waiting; none: call receive.
  Outcome<std::optional<Event>> take();

  enum class State { open, lost, stopped };  // lost: xld died; stopped: it said goodbye
  State receive();                           // waits for one read's worth
  // The number of the last event taken, or what `open` was given.
  std::optional<std::uint64_t> last() const { return last_; }

 private:
  EventFeed(api::LineStream stream, std::optional<std::uint64_t> after)
      : stream_(std::move(stream)), last_(after) {}

  api::LineStream stream_;
  std::optional<std::uint64_t> last_;
};

}  // namespace xl::cli
