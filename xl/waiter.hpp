// SPDX-License-Identifier: Apache-2.0
// Waiter waits until a domain has come as far as is asked, through its restarts and through those
// of xld: it looks at what is, then at what happens. One thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "xl/command.hpp"
#include "xl/console_matcher.hpp"
#include "xl/event_feed.hpp"

namespace xl::cli {

enum class WaitFor { running, booted, shutdown, console };

struct WaitPlan {
  std::string domain;  // name or domid
  WaitFor what = WaitFor::running;
  std::string wording;  // what the user wrote, for messages
  std::optional<ConsoleMatcher> console;
  std::optional<std::chrono::steady_clock::time_point> deadline;
};

class Waiter {
 public:
  explicit Waiter(WaitPlan plan) : plan_(std::move(plan)) {}

  // Errors: not_found, no such domain to begin with; timeout; domain_crashed if it cannot come to
  // that any more.
  Outcome<void> run();

 private:
  enum class Step { reached, on, again };  // again: look at everything anew, with a new xld

  Outcome<Step> begin();
  Outcome<Step> wait_for_news();
  Outcome<Step> read_events();
  Outcome<Step> consider(const api::EventView& event);
  Outcome<Step> consider_end(const api::EventView& event);
  Outcome<Step> look_at(const api::DomainView& domain);
  Outcome<bool> is_kept();
  Outcome<Step> look_at_history();
  Outcome<Step> read_console();
  Outcome<Step> drain_console();
  Outcome<api::DomainView> find_again();
  Unexpected<Failure> too_late() const;

  WaitPlan plan_;
  std::optional<api::Client> client_;
  std::optional<EventFeed> feed_;
  UniqueFd console_;
  std::optional<api::DomainView> domain_;  // as it was seen last
};

}  // namespace xl::cli
