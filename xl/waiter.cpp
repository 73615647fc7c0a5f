// SPDX-License-Identifier: Apache-2.0
#include "xl/waiter.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "xl/follow.hpp"

namespace xl::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Milliseconds for poll, rounded up; -1: for ever.
int time_left(const std::optional<Clock::time_point>& deadline) {
  if (!deadline) {
    return -1;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000));
}

}  // namespace

Unexpected<Failure> Waiter::too_late() const {
  std::string text = "domain '" + domain_->name + "' has not come to '" + plan_.wording +
                     "' within the given time";
  if (plan_.what == WaitFor::booted) {
    text +=
        " (a guest that never writes control/feature-poweroff into the xenstore never does; "
        "--for=console=REGEX serves those)";
  }
  return Unexpected(Failure(Exit::timeout, ErrorId::wait_too_long, std::move(text)));
}

Outcome<void> Waiter::run() {
  Step step = Step::again;
  while (step != Step::reached) {
    if (step == Step::again) {
      XL_TRY_ASSIGN(step, begin());
    } else {
      XL_TRY_ASSIGN(step, wait_for_news());
    }
  }
  return {};
}

// After xld has been away the domain may have another domid; its uuid is the same.
Outcome<api::DomainView> Waiter::find_again() {
  XL_TRY_ASSIGN(std::vector<api::DomainView> domains, client_->list());
  for (api::DomainView& domain : domains) {
    if (domain.uuid == domain_->uuid) {
      return std::move(domain);
    }
  }
  api::EndView end;
  end.action = "destroy";
  return Unexpected(bad_end(domain_->name, end));
}

// Events first, so that nothing that happens after the look is missed.
Outcome<Waiter::Step> Waiter::begin() {
  XL_TRY_ASSIGN(client_, connect());
  XL_TRY_ASSIGN(feed_, EventFeed::open(*client_, {}));
  console_.reset();
  if (domain_) {
    XL_TRY_ASSIGN(domain_, find_again());
  } else {
    XL_TRY_ASSIGN(domain_, client_->find(plan_.domain));
  }
  return look_at(*domain_);
}

Outcome<Waiter::Step> Waiter::look_at(const api::DomainView& domain) {
  const bool down = domain.shutdown_reason.has_value();
  if ((plan_.what == WaitFor::running && !down && !domain.paused && !domain.dying) ||
      (plan_.what == WaitFor::booted && domain.booted && !down)) {
    return Step::reached;
  }
  if (plan_.what == WaitFor::console) {
    XL_TRY_ASSIGN(const Step step, look_at_history());
    if (step == Step::reached) {
      return step;
    }
  }
  if (!down) {
    return Step::on;
  }
  api::EndView end;
  end.reason = domain.shutdown_reason;
  XL_TRY(verdict_on(domain.name, end));
  if (plan_.what == WaitFor::shutdown) {
    return Step::reached;
  }
  // One that is kept stays as it is; else xld is about to restart or destroy it.
  XL_TRY_ASSIGN(const bool kept, is_kept());
  if (kept && plan_.what == WaitFor::console) {
    // xld told of the end when it had read the console; we may have looked at that before.
    XL_TRY_ASSIGN(const Step step, look_at_history());
    if (step == Step::reached) {
      return step;
    }
  }
  return kept ? Outcome<Step>(bad_end(domain.name, end)) : Outcome<Step>(Step::on);
}

// What the last event that told of its end said; one of an earlier xld has not lasted, and then
// there is nothing more to come.
Outcome<bool> Waiter::is_kept() {
  XL_TRY_ASSIGN(const std::string lines, client_->recent_events(0));
  bool adopted = false;
  std::string action;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    XL_TRY_ASSIGN(const api::EventView event, api::parse_event(lines.substr(at, end - at)));
    if (event.domid == domain_->domid) {
      adopted = adopted || event.event == "adopted";
      action = event.end ? event.end->action : action;
    }
    at = end + 1;
  }
  return action == "preserve" || (adopted && action.empty());
}

// What was printed before; the same once more comes with the stream, which does no harm.
Outcome<Waiter::Step> Waiter::look_at_history() {
  const std::string id = std::to_string(domain_->domid);
  auto stream = client_->attach_console(id);
  auto history = client_->console_history(id);
  plan_.console->restart();
  if (history && plan_.console->feed(*history)) {
    return Step::reached;
  }
  plan_.console->restart();
  if (!stream) {
    // It ends or restarts just now: the events tell.
    return stream.error().error.code == ErrorCode::not_found
               ? Outcome<Step>(Step::on)
               : Outcome<Step>(Unexpected(Failure(stream.error())));
  }
  console_ = std::move(stream->fd);
  return plan_.console->feed(stream->early) ? Step::reached : Step::on;
}

Outcome<Waiter::Step> Waiter::wait_for_news() {
  XL_TRY_ASSIGN(const Step known, read_events());
  if (known != Step::on) {
    return known;
  }
  pollfd fds[2] = {{console_ ? console_.get() : -1, POLLIN, 0}, {feed_->fd(), POLLIN, 0}};
  const int ready = ::poll(fds, 2, time_left(plan_.deadline));
  if (ready < 0 && errno != EINTR) {
    return Unexpected(Failure(system_error(errno, "waiting for xld")));
  }
  if (ready == 0) {
    return too_late();
  }
  if (fds[0].revents != 0) {
    XL_TRY_ASSIGN(const Step step, read_console());
    if (step == Step::reached) {
      return step;
    }
  }
  if (fds[1].revents != 0 && feed_->receive() != EventFeed::State::open) {
    XL_TRY_ASSIGN(const Step step, drain_console());
    return step == Step::reached ? step : Step::again;
  }
  return plan_.deadline && Clock::now() >= *plan_.deadline ? Outcome<Step>(too_late())
                                                           : Outcome<Step>(Step::on);
}

// One read; the end of the console closes it here, and the events say what that means.
Outcome<Waiter::Step> Waiter::read_console() {
  char bytes[16 * 1024];
  const ssize_t got = ::recv(console_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (got > 0) {
    return plan_.console->feed({bytes, static_cast<std::size_t>(got)}) ? Step::reached : Step::on;
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    console_.reset();
  }
  return Step::on;
}

// What has arrived before an end counts.
Outcome<Waiter::Step> Waiter::drain_console() {
  while (console_) {
    pollfd fd = {console_.get(), POLLIN, 0};
    if (::poll(&fd, 1, 0) <= 0) {
      break;
    }
    XL_TRY_ASSIGN(const Step step, read_console());
    if (step == Step::reached) {
      return step;
    }
  }
  return Step::on;
}

Outcome<Waiter::Step> Waiter::read_events() {
  while (true) {
    XL_TRY_ASSIGN(const std::optional<EventFeed::Event> event, feed_->take());
    if (!event) {
      return Step::on;
    }
    if (event->view.domid != domain_->domid) {
      continue;
    }
    XL_TRY_ASSIGN(const Step step, consider(event->view));
    if (step != Step::on) {
      return step;
    }
  }
}

Outcome<Waiter::Step> Waiter::consider(const api::EventView& event) {
  domain_->name = event.name;
  if (event.end) {
    return consider_end(event);
  }
  if ((plan_.what == WaitFor::booted && event.event == "booted") ||
      (plan_.what == WaitFor::running && event.event == "unpaused")) {
    return Step::reached;
  }
  return Step::on;
}

// It shut down, is gone, or has a successor.
Outcome<Waiter::Step> Waiter::consider_end(const api::EventView& event) {
  XL_TRY_ASSIGN(const Step printed, drain_console());
  if (printed == Step::reached) {
    return printed;
  }
  const api::EndView& end = *event.end;
  if (plan_.what == WaitFor::shutdown && event.event == "shutdown") {
    XL_TRY(verdict_on(event.name, end));
    return Step::reached;
  }
  if (event.event == "resumed" || (event.event == "shutdown" && end.action != "preserve")) {
    return Step::on;  // more follows
  }
  if (!end.successor) {
    return Unexpected(bad_end(event.name, end));
  }
  // It keeps name and uuid, not always both: a rename-restart leaves the old one behind.
  auto successor = client_->find(std::to_string(*end.successor));
  domain_->domid = *end.successor;
  if (successor) {
    domain_ = std::move(successor).value();
    return look_at(*domain_);
  }
  return successor.error().error.code == ErrorCode::not_found ? Outcome<Step>(Step::on)
                                                              : Outcome<Step>(Step::again);
}

}  // namespace xl::cli
