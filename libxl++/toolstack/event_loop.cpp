// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/event_loop.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace xl::toolstack {
namespace {

std::atomic_flag& queued_flag(Domain& domain, Line line) {
  return line == Line::console ? domain.console_queued : domain.store_queued;
}

void notify(Domain& domain, EventPort port) {
  // A guest that is gone, or a hypervisor that is, needs no notification; who destroys or loses it
  // says so.
  (void)domain.session->hypervisor().event_notify(port);
}

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::create(Handlers handlers) {
  UniqueFd wakeup(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wakeup) {
    return Unexpected(system_error(errno, "creating an eventfd"));
  }
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(handlers), std::move(wakeup)));
}

EventLoop::EventLoop(Handlers handlers, UniqueFd wakeup)
    : handlers_(std::move(handlers)), wakeup_(std::move(wakeup)), thread_([this] { run(); }) {}

EventLoop::~EventLoop() {
  stop();
}

void EventLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_thread();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void EventLoop::wake_thread() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the thread is awake already.
  (void)!::write(wakeup_.get(), &one, sizeof one);
}

void EventLoop::serve(std::shared_ptr<Session> session) {
  post([this, session = std::move(session)] { session_ = session; });
}

void EventLoop::stop_serving(std::shared_ptr<Session> session) {
  post([this, session = std::move(session)] {
    if (session_ == session) {
      session_.reset();
    }
  });
}

void EventLoop::post(std::function<void()> task) {
  bool was_idle = false;
  {
    const std::lock_guard lock(mutex_);
    was_idle = tasks_.empty() && woken_.empty();
    tasks_.push_back(std::move(task));
  }
  if (was_idle) {
    wake_thread();
  }
}

void EventLoop::wake(const std::shared_ptr<Domain>& domain, Line line) {
  if (domain == nullptr || queued_flag(*domain, line).test_and_set()) {
    return;
  }
  bool was_idle = false;
  {
    const std::lock_guard lock(mutex_);
    was_idle = tasks_.empty() && woken_.empty();
    woken_.push_back({domain, line});
  }
  if (was_idle) {
    wake_thread();
  }
}

void EventLoop::run() {
  for (;;) {
    wait();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        return;
      }
    }
    take_events();
    run_tasks();
    look_again();
    pump_ready();
  }
}

// Until there is something to do. With lines that are not done yet, only looks.
void EventLoop::wait() {
  std::array<pollfd, 2> fds{};
  fds[0] = {wakeup_.get(), POLLIN, 0};
  fds[1] = {session_ == nullptr ? -1 : session_->hypervisor().event_fd(), POLLIN, 0};
  const int patience = !ready_.empty() ? 0 : quiet_.empty() ? -1 : 1;
  if (::poll(fds.data(), fds.size(), patience) < 0 && errno != EINTR) {
    spdlog::error("event loop: poll failed with errno {}", errno);
  }
  std::uint64_t count = 0;
  (void)!::read(wakeup_.get(), &count, sizeof count);
}

void EventLoop::run_tasks() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
    ready_.insert(ready_.end(), std::make_move_iterator(woken_.begin()),
                  std::make_move_iterator(woken_.end()));
    woken_.clear();
  }
  for (const auto& task : tasks) {
    task();
  }
}

void EventLoop::take_events() {
  const std::shared_ptr<Session> session = session_;
  if (session == nullptr) {
    return;
  }
  auto pending = session->hypervisor().take_events();
  const bool is_gone =
      pending ? pending->hypervisor_gone : pending.error().code == ErrorCode::hypervisor_gone;
  if (is_gone) {
    session_.reset();
    handlers_.hypervisor_gone(session);
    return;
  }
  if (!pending) {
    spdlog::error("taking events failed: {}", describe(pending.error()));
    return;
  }
  for (const EventPort port : pending->ports) {
    const PortTarget target = session->port(port);
    auto domain = target.domain.lock();
    if (domain != nullptr && !queued_flag(*domain, target.line).test_and_set()) {
      ready_.push_back({std::move(domain), target.line});
    }
  }
  for (const DomId changed : pending->changed_domains) {
    handlers_.domain_changed(session, changed);
  }
}

// Each line that is ready has one turn; those that have more to do come again after all others.
void EventLoop::pump_ready() {
  std::vector<Ready> turn;
  turn.swap(ready_);
  for (Ready& ready : turn) {
    queued_flag(*ready.domain, ready.line).clear();
    if (pump(ready) && !queued_flag(*ready.domain, ready.line).test_and_set()) {
      ready_.push_back(std::move(ready));
    }
  }
}

void EventLoop::look_again_later(const Ready& ready) {
  constexpr std::chrono::milliseconds while_it_writes(1);
  if (quiet_.empty()) {
    look_at_ = std::chrono::steady_clock::now() + while_it_writes;
  }
  quiet_.push_back(ready);
}

void EventLoop::look_again() {
  if (quiet_.empty() || std::chrono::steady_clock::now() < look_at_) {
    return;
  }
  for (Ready& ready : std::exchange(quiet_, {})) {
    if (!queued_flag(*ready.domain, ready.line).test_and_set()) {
      ready_.push_back(std::move(ready));
    }
  }
}

bool EventLoop::pump(const Ready& ready) {
  Domain& domain = *ready.domain;
  if (ready.line == Line::console) {
    const console::Console::Progress progress = domain.console->pump();
    if (progress.notify) {
      notify(domain, domain.console_port);
    }
    return progress.more;
  }
  if (domain.store == nullptr) {
    return false;  // a host's xenstored looks at it itself
  }
  const xenstore::Ring::Progress progress = domain.store->pump();
  if (progress.notify) {
    notify(domain, domain.store_port);
  }
  if (progress.look_again && !progress.more) {
    look_again_later(ready);
  }
  return progress.more;
}

void EventLoop::drain_console(Domain& domain) {
  // Of a guest that does not run any more the ring holds one ring's worth at most; the bound is for
  // a page that lies. One that runs on has to hear of what it was given.
  bool more = true;
  for (int turn = 0; turn < 4 && more; ++turn) {
    const console::Console::Progress progress = domain.console->pump();
    if (progress.notify) {
      notify(domain, domain.console_port);
    }
    more = progress.more;
  }
}

}  // namespace xl::toolstack
