// SPDX-License-Identifier: Apache-2.0
#include "xl/event_feed.hpp"

namespace xl::cli {

Outcome<EventFeed> EventFeed::open(api::Client& client, std::optional<std::uint64_t> after) {
  XL_TRY_ASSIGN(api::LineStream stream, client.events(after));
  return EventFeed(std::move(stream), after);
}

Outcome<std::optional<EventFeed::Event>> EventFeed::take() {
  XL_TRY_ASSIGN(std::optional<std::string> line, stream_.take_line());
  if (!line) {
    return std::optional<Event>();
  }
  XL_TRY_ASSIGN(api::EventView view, api::parse_event(*line));
  last_ = view.sequence;
  return std::optional<Event>({std::move(*line), std::move(view)});
}

EventFeed::State EventFeed::receive() {
  const Result<bool> more = stream_.fill();
  if (more && *more) {
    return State::open;
  }
  return more && stream_.ended_well() ? State::stopped : State::lost;
}

}  // namespace xl::cli
