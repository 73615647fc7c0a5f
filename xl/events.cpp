// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "xl/event_feed.hpp"
#include "xl/format/events.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

struct Filter {
  std::string domain;  // name or domid; empty: all
  bool json = false;

  void show(const std::string& line, const api::EventView& event) const {
    if (domain.empty() || event.name == domain || std::to_string(event.domid) == domain) {
      print(json ? line + "\n" : event_line(event));
    }
  }
};

Outcome<void> show_recent(const Filter& filter, std::uint64_t after) {
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const std::string text, client.recent_events(after));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    XL_TRY_ASSIGN(const api::EventView event, api::parse_event(line));
    filter.show(line, event);
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return {};
}

// Until xld says goodbye. One that was killed is started again, and nothing is shown twice.
Outcome<void> follow(const Filter& filter, std::optional<std::uint64_t> after) {
  while (true) {
    XL_TRY_ASSIGN(api::Client client, connect());
    XL_TRY_ASSIGN(EventFeed feed, EventFeed::open(client, after));
    EventFeed::State state = EventFeed::State::open;
    while (state == EventFeed::State::open) {
      while (true) {
        XL_TRY_ASSIGN(const std::optional<EventFeed::Event> event, feed.take());
        if (!event) {
          break;
        }
        filter.show(event->line, event->view);
      }
      if (!flush_output()) {
        return Unexpected(Failure(Exit::failure, ErrorId::output_lost,
                                  "standard output does not take the events"));
      }
      state = feed.receive();
    }
    if (state == EventFeed::State::stopped) {
      return {};
    }
    after = feed.last().value_or(0);
  }
}

}  // namespace

Outcome<void> run_events(const Arguments& arguments) {
  XL_TRY_ASSIGN(
      const Options options,
      Options::parse(arguments, "f", {{"json", 'j'}, {"follow", 'f'}, {"after", 'a', true}}));
  XL_TRY(options.need_words(0, 1));
  const Filter filter{options.words().empty() ? std::string() : options.words()[0],
                      options.has('j')};
  std::optional<std::uint64_t> after;
  if (const char* text = options.value('a')) {
    char* end = nullptr;
    after = std::strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0') {
      return wrong_usage("'" + std::string(text) + "' is not the number of an event");
    }
  }
  return options.has('f') ? follow(filter, after) : show_recent(filter, after.value_or(0));
}

}  // namespace xl::cli
