// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/socket_server.hpp"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "libxl++/xenstore/socket_client.hpp"

namespace xl::xenstore {
namespace {

// A tool asks again as soon as it has its answer. Looking for that a moment longer is quicker than
// waking an idle CPU (docs/adr/0086).
constexpr auto look_time = std::chrono::microseconds(50);

constexpr std::uint64_t wakeup_id = UINT64_MAX;

int change(int poll, int operation, int fd, std::uint32_t events, std::uint64_t id) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  return ::epoll_ctl(poll, operation, fd, &event);
}

}  // namespace

Result<std::unique_ptr<SocketServer>> SocketServer::create(std::shared_ptr<Server> store,
                                                           std::vector<UniqueFd> listeners,
                                                           std::size_t max_clients) {
  UniqueFd poll(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd wakeup(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!poll || !wakeup) {
    return Unexpected(system_error(errno, "preparing to serve the xenstore's sockets"));
  }
  std::unique_ptr<SocketServer> server(new SocketServer(
      std::move(store), std::move(listeners), max_clients, std::move(poll), std::move(wakeup)));
  XL_TRY(server->arm());
  server->thread_ = std::thread([self = server.get()] { self->run(); });
  return server;
}

SocketServer::SocketServer(std::shared_ptr<Server> store, std::vector<UniqueFd> listeners,
                           std::size_t max_clients, UniqueFd poll, UniqueFd wakeup)
    : store_(std::move(store)),
      listeners_(std::move(listeners)),
      max_clients_(max_clients),
      poll_(std::move(poll)),
      wakeup_(std::move(wakeup)),
      next_id_(listeners_.size()) {}

Result<void> SocketServer::arm() {
  int failed = change(poll_.get(), EPOLL_CTL_ADD, wakeup_.get(), EPOLLIN, wakeup_id);
  for (std::size_t i = 0; i < listeners_.size() && failed == 0; ++i) {
    failed = change(poll_.get(), EPOLL_CTL_ADD, listeners_[i].get(), EPOLLIN, i);
  }
  return failed == 0 ? Result<void>()
                     : Unexpected(system_error(errno, "listening at the xenstore's sockets"));
}

SocketServer::~SocketServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  const std::uint64_t one = 1;
  (void)!::write(wakeup_.get(), &one, sizeof one);
  if (thread_.joinable()) {
    thread_.join();
  }
}

void SocketServer::run() {
  using Clock = std::chrono::steady_clock;
  std::array<epoll_event, 64> events;
  Clock::time_point last_event{};
  for (;;) {
    const bool looks = !busy_.empty() || Clock::now() - last_event < look_time;
    const int count =
        ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), looks ? 0 : -1);
    if (count > 0) {
      last_event = Clock::now();
    }
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        return;
      }
    }
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.u64 == wakeup_id) {
        serve_woken();
      } else if (event.data.u64 < listeners_.size()) {
        accept(event.data.u64);
      } else {
        serve(event.data.u64, (event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0);
      }
    }
    for (const Id id : std::exchange(busy_, {})) {
      serve(id, false);
    }
  }
}

void SocketServer::accept(std::size_t listener) {
  UniqueFd socket(
      ::accept4(listeners_[listener].get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) {
    if (errno == EMFILE || errno == ENFILE) {
      spdlog::warn("xenstore: no descriptor for one more client; new ones wait");
      set_listening(false);
    }
    return;
  }
  const Id id = next_id_++;
  if (change(poll_.get(), EPOLL_CTL_ADD, socket.get(), EPOLLIN, id) != 0) {
    return;
  }
  clients_.emplace(id, std::make_unique<SocketClient>(std::move(socket),
                                                      store_->connect([this, id] { wake(id); })));
  if (clients_.size() >= max_clients_) {
    spdlog::warn("xenstore: {} tools are connected; new ones wait", clients_.size());
    set_listening(false);
  }
}

void SocketServer::set_listening(bool listening) {
  if (std::exchange(is_listening_, listening) == listening) {
    return;
  }
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    change(poll_.get(), EPOLL_CTL_MOD, listeners_[i].get(), listening ? EPOLLIN : 0U, i);
  }
}

void SocketServer::serve(Id id, bool readable) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) {
    return;
  }
  SocketClient& client = *found->second;
  const SocketClient::State state = client.pump(readable);
  if (state == SocketClient::State::over) {
    clients_.erase(found);
    set_listening(true);
    return;
  }
  if (state == SocketClient::State::busy) {
    busy_.push_back(id);
  }
  if (state != client.state) {
    client.state = state;
    // While there is something to write or to do, nothing more is read.
    const std::uint32_t wanted = state == SocketClient::State::reading   ? EPOLLIN
                                 : state == SocketClient::State::writing ? EPOLLOUT
                                                                         : 0U;
    change(poll_.get(), EPOLL_CTL_MOD, client.fd(), wanted, id);
  }
}

void SocketServer::serve_woken() {
  std::uint64_t count = 0;
  (void)!::read(wakeup_.get(), &count, sizeof count);
  std::vector<Id> woken;
  {
    const std::lock_guard lock(mutex_);
    woken.swap(woken_);
  }
  for (const Id id : woken) {
    serve(id, false);
  }
}

// Under the store's lock, from any thread.
void SocketServer::wake(Id id) {
  bool was_idle = false;
  {
    const std::lock_guard lock(mutex_);
    was_idle = woken_.empty();
    if (woken_.empty() || woken_.back() != id) {
      woken_.push_back(id);
    }
  }
  if (was_idle) {
    const std::uint64_t one = 1;
    (void)!::write(wakeup_.get(), &one, sizeof one);
  }
}

}  // namespace xl::xenstore
