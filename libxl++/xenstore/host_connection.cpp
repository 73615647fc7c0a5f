// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/host_connection.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

namespace xl::xenstore {
namespace {

constexpr std::size_t buffer_size = 16 << 10;

Error broken(int errno_value) {
  if (errno_value == 0 || errno_value == EPIPE || errno_value == ECONNRESET) {
    return {ErrorCode::io, "xenstored closed the connection"};
  }
  return system_error(errno_value, "talking to xenstored");
}

}  // namespace

Result<UniqueFd> HostConnection::open(const std::string& path) {
  const auto failed = [&](int errno_value) {
    Error error = system_error(errno_value, "connecting to xenstored at '" + path + "'");
    error.hint = "see whether xenstored runs in this domain 0";
    return Unexpected(std::move(error));
  };
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) {
    return failed(ENAMETOOLONG);
  }
  path.copy(name.sun_path, path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // SAFETY: how the sockets interface passes addresses.
  if (!socket ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    return failed(errno);
  }
  return socket;
}

HostConnection::HostConnection(UniqueFd socket)
    : socket_(std::move(socket)), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (!poll_ || ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, socket_.get(), &event) != 0) {
    break_off(system_error(errno, "preparing to listen to xenstored"));
    return;
  }
  reader_ = std::thread([this] { run(); });
}

HostConnection::~HostConnection() {
  ::shutdown(socket_.get(), SHUT_RDWR);
  if (reader_.joinable()) {
    reader_.join();
  }
}

Result<std::vector<HostConnection::Reply>> HostConnection::ask(
    std::span<const HostRequest> requests) {
  HostExchange::Batch batch;
  XL_TRY_ASSIGN(const std::string bytes, exchange_.begin(requests, &batch));
  if (!ask_and_read(bytes, batch)) {
    send(bytes);
  }
  XL_TRY(exchange_.wait(batch));
  return std::move(batch.replies);
}

Result<HostConnection::Reply> HostConnection::ask(HostRequest request) {
  XL_TRY_ASSIGN(std::vector<Reply> replies, ask(std::span(&request, 1)));
  return std::move(replies.front());
}

Result<void> HostConnection::start(std::span<const HostRequest> requests,
                                   HostExchange::Batch& batch) {
  XL_TRY_ASSIGN(const std::string bytes, exchange_.begin(requests, &batch));
  const std::lock_guard reading(reading_);
  const std::lock_guard sending(sending_);
  listen(false);
  send_and_read(bytes);  // what breaks it shows in finish()
  return {};
}

Result<std::vector<HostConnection::Reply>> HostConnection::finish(HostExchange::Batch& batch) {
  {
    const std::lock_guard reading(reading_);
    for (bool is_up = true; is_up && !exchange_.is_over(batch);) {
      is_up = receive(0);
    }
  }
  XL_TRY(exchange_.wait(batch));
  return std::move(batch.replies);
}

void HostConnection::tell(const HostRequest& request) {
  if (const auto bytes = exchange_.begin(std::span(&request, 1), nullptr)) {
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
  bool is_up = send_and_read(bytes);
  sending.unlock();
  while (is_up && !exchange_.is_over(batch)) {
    is_up = receive(0);
  }
  listen(true);
  return true;
}

// Reads wherever writing would block: a peer may take no more until it has got rid of its replies.
bool HostConnection::send_and_read(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) {
      break_off(broken(errno));
      return false;
    }
    pollfd wanted{socket_.get(), POLLIN | POLLOUT, 0};
    ::poll(&wanted, 1, -1);
    if ((wanted.revents & POLLIN) != 0 && !receive(MSG_DONTWAIT)) {
      return false;
    }
  }
  return true;
}

// While others read.
void HostConnection::send(std::string_view bytes) {
  const std::lock_guard lock(sending_);
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent < 0) {
      break_off(broken(errno));
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// False: the connection has broken.
bool HostConnection::receive(int flags) {
  std::array<std::byte, buffer_size> buffer;
  const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), flags);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return true;
  }
  if (count <= 0) {
    break_off(broken(count == 0 ? 0 : errno));
    return false;
  }
  const auto received = exchange_.receive(std::span(buffer).first(static_cast<std::size_t>(count)));
  if (!received) {
    break_off(received.error());
  }
  return received.has_value();
}

// Whether the thread hears of what comes.
void HostConnection::listen(bool listening) {
  epoll_event event{};
  event.events = listening ? EPOLLIN : 0U;
  ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, socket_.get(), &event);
}

void HostConnection::run() {
  for (bool is_up = true; is_up;) {
    epoll_event event{};
    ::epoll_wait(poll_.get(), &event, 1, -1);
    const std::lock_guard lock(reading_);
    is_up = receive(MSG_DONTWAIT);
  }
}

// Whoever is still sending or reading finds that out as well.
void HostConnection::break_off(Error why) {
  exchange_.end(std::move(why));
  ::shutdown(socket_.get(), SHUT_RDWR);
}

}  // namespace xl::xenstore
