// SPDX-License-Identifier: Apache-2.0
#include "xl/follow.hpp"

namespace xl::cli {

Follower::News Follower::consider(const api::EventView& event) {
  if (event.domid != domid_) {
    return News::none;
  }
  if (event.event == "renamed") {
    name_ = event.name;
  }
  if (!event.end) {
    return News::none;
  }
  if (event.event == "shutdown" && event.end->action != "preserve") {
    return News::none;  // "ended" follows, with the successor if there is one
  }
  end_ = *event.end;
  if (end_.successor) {
    domid_ = *end_.successor;
    return News::restarted;
  }
  return News::ended;
}

std::string Follower::cause_of_restart() const {
  return end_.cause.empty() ? std::string()
                            : "domain '" + name_ + "' ended by a " + end_.cause +
                                  " and is started again; see `xl dmesg` for what the hypervisor "
                                  "saw";
}

Outcome<void> Follower::read_once() {
  XL_TRY_ASSIGN(const bool more, events_.fill());
  if (!more) {
    return Unexpected(Failure(Exit::unreachable, ErrorId::daemon_went_away,
                              "xld went away while domain '" + name_ + "' was being waited for"));
  }
  return {};
}

Outcome<Follower::News> Follower::look() {
  while (true) {
    XL_TRY_ASSIGN(const std::optional<std::string> line, events_.take_line());
    if (!line) {
      return News::none;
    }
    XL_TRY_ASSIGN(const api::EventView event, api::parse_event(*line));
    if (const News news = consider(event); news != News::none) {
      return news;
    }
  }
}

Outcome<Follower::News> Follower::arrived() {
  XL_TRY(read_once());
  return look();
}

Outcome<Follower::News> Follower::next() {
  while (true) {
    XL_TRY_ASSIGN(const News news, look());
    if (news != News::none) {
      return news;
    }
    XL_TRY(read_once());
  }
}

Outcome<void> verdict_on(const std::string& name, const api::EndView& end) {
  if (end.action == "lost") {
    return Unexpected(Failure(Exit::unreachable, ErrorId::hypervisor_died,
                              "the hypervisor died, and domain '" + name +
                                  "' with it; `xl daemon status` names the log"));
  }
  const bool crashed =
      !end.cause.empty() || (end.reason && (*end.reason == "crash" || *end.reason == "watchdog"));
  if (end.reason && !crashed) {
    return {};
  }
  std::string text = "domain '" + name + "' ";
  text += !end.reason                 ? "was destroyed before it ended by itself"
          : !end.cause.empty()        ? "ended by a " + end.cause
          : *end.reason == "watchdog" ? "was ended by its watchdog"
                                      : "crashed";
  if (!end.last_console_line.empty()) {
    text += "; the last line on its console was: " + end.last_console_line;
  }
  if (crashed) {
    text += "; see `xl dmesg` for what the hypervisor saw";
  }
  return Unexpected(Failure(Exit::domain_crashed, ErrorId::domain_ended_badly, std::move(text)));
}

Unexpected<Failure> bad_end(const std::string& name, const api::EndView& end) {
  const Outcome<void> verdict = verdict_on(name, end);
  if (!verdict) {
    return Unexpected(verdict.error());
  }
  return Unexpected(
      Failure(Exit::domain_crashed, ErrorId::domain_ended_badly,
              "domain '" + name + "' has shut down (" + end.reason.value_or("destroyed") + ")"));
}

}  // namespace xl::cli
