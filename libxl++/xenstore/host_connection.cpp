// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/host_connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace xl::xenstore {

HostConnection::HostConnection(UniqueFd socket)
    : socket_(std::move(socket)), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (!poll_ || ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, socket_.fd(), &event) != 0) {
    socket_.break_off(system_error(errno, "preparing to listen to xenstored"));
    return;
  }
  reader_ = std::thread([this] { run(); });
}

HostConnection::~HostConnection() {
  ::shutdown(socket_.fd(), SHUT_RDWR);
  if (reader_.joinable()) {
    reader_.join();
  }
}

Result<std::vector<HostConnection::Reply>> HostConnection::ask(
    std::span<const HostRequest> requests) {
  HostExchange::Batch batch;
  XL_TRY_ASSIGN(const std::string bytes, exchange().begin(requests, &batch));
  if (!ask_and_read(bytes, batch)) {
    send(bytes);
  }
  XL_TRY(exchange().wait(batch));
  return std::move(batch.replies);
}

Result<HostConnection::Reply> HostConnection::ask(HostRequest request) {
  XL_TRY_ASSIGN(std::vector<Reply> replies, ask(std::span(&request, 1)));
  return std::move(replies.front());
}

void HostConnection::tell(const HostRequest& request) {
  if (const auto bytes = exchange().begin(std::span(&request, 1), nullptr)) {
    send(*bytes);
  }
}

// False: nothing was done, as others read or write.
bool HostConnection::ask_and_read(std::string_view bytes, const HostExchange::Batch& batch) {
  const std::unique_lock reading(reading_, std::try_to_lock);
  std::unique_lock sending(sending_, std::defer_lock);
  if (!reading.owns_lock() || !sending.try_lock()) {
    return false;
  }
  listen(false);
  const bool is_up = socket_.send_and_read(bytes);
  sending.unlock();
  if (is_up) {
    socket_.receive_all(batch);
  }
  listen(true);
  return true;
}

void HostConnection::send(std::string_view bytes) {
  const std::lock_guard lock(sending_);
  socket_.send(bytes);
}

// Whether the thread hears of what comes.
void HostConnection::listen(bool listening) {
  epoll_event event{};
  event.events = listening ? EPOLLIN : 0U;
  ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, socket_.fd(), &event);
}

void HostConnection::run() {
  for (bool is_up = true; is_up;) {
    epoll_event event{};
    ::epoll_wait(poll_.get(), &event, 1, -1);
    const std::lock_guard lock(reading_);
    is_up = socket_.receive(MSG_DONTWAIT);
  }
}

}  // namespace xl::xenstore
