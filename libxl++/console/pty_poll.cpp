// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/pty_poll.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace xl::console {
namespace {

constexpr std::uint64_t stop_id = 0;

int control(int poll, int operation, int fd, std::uint32_t events, std::uint64_t id) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  return ::epoll_ctl(poll, operation, fd, &event);
}

}  // namespace

Result<std::unique_ptr<PtyPoll>> PtyPoll::create() {
  UniqueFd poll(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!poll || !stop || control(poll.get(), EPOLL_CTL_ADD, stop.get(), EPOLLIN, stop_id) != 0) {
    return Unexpected(system_error(errno, "preparing to look at consoles"));
  }
  return std::unique_ptr<PtyPoll>(new PtyPoll(std::move(poll), std::move(stop)));
}

PtyPoll::PtyPoll(UniqueFd poll, UniqueFd stop)
    : poll_(std::move(poll)), stop_(std::move(stop)), thread_([this] { run(); }) {}

PtyPoll::~PtyPoll() {
  const std::uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

Result<std::unique_ptr<PtyPoll::Registration>> PtyPoll::add(int fd, Ready ready) {
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_id_;
    entries_.emplace(id, std::make_shared<CallbackList<>::Entry>(std::move(ready)));
  }
  auto registration = std::make_unique<Registration>(*this, id, fd);
  if (control(poll_.get(), EPOLL_CTL_ADD, fd, EPOLLONESHOT, id) != 0) {
    return Unexpected(system_error(errno, "looking at a console"));
  }
  return registration;
}

PtyPoll::Registration::~Registration() {
  poll_.remove(id_, fd_);
}

void PtyPoll::Registration::arm(bool for_input) {
  const std::uint32_t output = for_input ? EPOLLOUT : 0U;
  control(poll_.poll_.get(), EPOLL_CTL_MOD, fd_, EPOLLIN | EPOLLONESHOT | output, id_);
}

void PtyPoll::remove(std::uint64_t id, int fd) {
  control(poll_.get(), EPOLL_CTL_DEL, fd, 0, id);
  const Entry removed = entry(id);
  removed->end();
  const std::lock_guard lock(mutex_);
  entries_.erase(id);
}

// Null if it is gone: an event of before.
PtyPoll::Entry PtyPoll::entry(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second;
}

void PtyPoll::run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t id = events[static_cast<std::size_t>(i)].data.u64;
      if (id == stop_id) {
        return;
      }
      if (const Entry ready = entry(id)) {
        ready->call();
      }
    }
  }
}

}  // namespace xl::console
