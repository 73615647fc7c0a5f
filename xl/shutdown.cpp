// SPDX-License-Identifier: Apache-2.0
// shutdown and reboot: ask one guest, or all, and wait for their end if that is wanted.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "xl/command.hpp"
#include "xl/options.hpp"
#include "xl/progress.hpp"

namespace xl::cli {
namespace {

constexpr std::size_t asked_at_once = 16;  // as many as xld waits for at once

enum class WaitFor { nothing, shutdown, end };

struct Plan {
  const char* action = "poweroff";
  std::uint64_t timeout_ms = api::default_guest_timeout_ms;
  bool fall_back = false;
  WaitFor wait = WaitFor::nothing;
};

struct Target {
  std::uint16_t domid = 0;
  std::string name;
};

Outcome<std::uint64_t> parse_seconds(std::string_view text) {
  std::uint64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds > 3600) {
    return wrong_usage("'" + std::string(text) + "' is not a number of seconds up to 3600");
  }
  return seconds * 1000;
}

// Those that can be asked: not Domain-0, not those that have shut down already.
Outcome<std::vector<Target>> find_targets(api::Client& client, bool all, const Options& options) {
  std::vector<Target> targets;
  if (!all) {
    XL_TRY_ASSIGN(const api::DomainView domain, client.find(options.words()[0]));
    if (domain.domid == 0) {
      return Unexpected(Failure(Exit::failure, ErrorId::domain_zero,
                                "Domain-0 is the host; xl does not shut it down"));
    }
    targets.push_back({domain.domid, domain.name});
    return targets;
  }
  XL_TRY_ASSIGN(const std::vector<api::DomainView> domains, client.list());
  for (const api::DomainView& domain : domains) {
    if (domain.domid != 0 && !domain.shutdown_reason && !domain.dying) {
      targets.push_back({domain.domid, domain.name});
    }
  }
  return targets;
}

class Requests {
 public:
  Requests(const Plan& plan, const std::vector<Target>& targets) : plan_(plan), targets_(targets) {}

  // Several at a time: a guest that does not answer holds the others up no longer than it must.
  void run() {
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < std::min(asked_at_once, targets_.size()); ++i) {
      threads.emplace_back([this] { work(); });
    }
    work();
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  Outcome<void> verdict() const {
    if (failures_.empty()) {
      return {};
    }
    if (targets_.size() == 1) {
      return Unexpected(failures_.front());
    }
    std::string text = std::to_string(failures_.size()) + " of " + std::to_string(targets_.size()) +
                       " domains were not asked with success";
    for (const Failure& failure : failures_) {
      text += "\n  " + failure.text;
    }
    return Unexpected(Failure(failures_.front().exit, std::move(text)));
  }

 private:
  void work() {
    Outcome<api::Client> client = connect();
    for (std::size_t at = next_++; at < targets_.size(); at = next_++) {
      if (!client) {
        note(client.error());
        continue;
      }
      const api::Answer<void> done = client->shutdown(
          std::to_string(targets_[at].domid), plan_.action, plan_.timeout_ms, plan_.fall_back);
      // With --all, one that ended by itself meanwhile is what was wanted.
      if (!done && !(targets_.size() > 1 && done.error().error.code == ErrorCode::not_found)) {
        note(Failure(done.error()));
      }
    }
  }
  void note(Failure failure) {
    const std::lock_guard lock(mutex_);
    failures_.push_back(std::move(failure));
  }

  const Plan& plan_;
  const std::vector<Target>& targets_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::vector<Failure> failures_;
};

Outcome<void> wait_for_ends(api::LineStream& events, const std::vector<Target>& targets,
                            WaitFor what) {
  std::set<std::uint16_t> waiting;
  for (const Target& target : targets) {
    waiting.insert(target.domid);
  }
  while (!waiting.empty()) {
    XL_TRY_ASSIGN(const std::optional<std::string> line, events.take_line());
    if (!line) {
      XL_TRY_ASSIGN(const bool more, events.fill());
      if (!more) {
        return Unexpected(Failure(Exit::unreachable, ErrorId::daemon_went_away,
                                  "xld went away while domains were waited for"));
      }
      continue;
    }
    XL_TRY_ASSIGN(const api::EventView event, api::parse_event(*line));
    if (event.event == "ended" || (what == WaitFor::shutdown && event.event == "shutdown")) {
      waiting.erase(event.domid);
    }
  }
  return {};
}

Outcome<void> run(const Arguments& arguments, const char* action) {
  XL_TRY_ASSIGN(
      const Options options,
      Options::parse(arguments, "awFt:", {{"all", 'a'}, {"wait", 'w'}, {"timeout", 't', true}}));
  const bool all = options.has('a');
  XL_TRY(options.need_words(all ? 0 : 1, all ? 0 : 1));
  Plan plan;
  plan.action = action;
  plan.fall_back = options.has('F');
  plan.wait = !options.has('w')         ? WaitFor::nothing
              : options.count('w') == 1 ? WaitFor::shutdown
                                        : WaitFor::end;
  if (const char* seconds = options.value('t')) {
    XL_TRY_ASSIGN(plan.timeout_ms, parse_seconds(seconds));
  }
  XL_TRY_ASSIGN(api::Client client, connect());
  std::optional<api::LineStream> events;
  if (plan.wait != WaitFor::nothing) {
    XL_TRY_ASSIGN(events, client.events());  // before the requests: no event can be missed
  }
  XL_TRY_ASSIGN(const std::vector<Target> targets, find_targets(client, all, options));
  const Progress progress("waiting for " + (targets.size() == 1
                                                ? "'" + targets[0].name + "'"
                                                : std::to_string(targets.size()) + " domains"));
  Requests requests(plan, targets);
  requests.run();
  XL_TRY(requests.verdict());
  return events ? wait_for_ends(*events, targets, plan.wait) : Outcome<void>();
}

}  // namespace

Outcome<void> run_shutdown(const Arguments& arguments) {
  return run(arguments, "poweroff");
}

Outcome<void> run_reboot(const Arguments& arguments) {
  return run(arguments, "reboot");
}

}  // namespace xl::cli
