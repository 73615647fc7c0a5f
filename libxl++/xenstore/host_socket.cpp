// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/host_socket.hpp"

#include <poll.h>
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

Result<UniqueFd> HostSocket::open(const std::string& path) {
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

Result<void> HostSocket::start(std::span<const HostRequest> requests, HostExchange::Batch& batch) {
  XL_TRY_ASSIGN(const std::string bytes, exchange_.begin(requests, &batch));
  send_and_read(bytes);  // what breaks it shows in finish()
  return {};
}

Result<std::vector<HostSocket::Reply>> HostSocket::finish(HostExchange::Batch& batch) {
  receive_all(batch);
  XL_TRY(exchange_.wait(batch));
  return std::move(batch.replies);
}

bool HostSocket::send_and_read(std::string_view bytes) {
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

bool HostSocket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent < 0) {
      break_off(broken(errno));
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool HostSocket::receive(int flags) {
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

bool HostSocket::receive_all(const HostExchange::Batch& batch) {
  bool is_up = true;
  while (is_up && !exchange_.is_over(batch)) {
    is_up = receive(0);
  }
  return is_up;
}

void HostSocket::break_off(Error why) {
  exchange_.end(std::move(why));
  ::shutdown(socket_.get(), SHUT_RDWR);
}

}  // namespace xl::xenstore
