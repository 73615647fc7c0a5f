// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/host_connection.hpp"

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
    return Unexpected(system_error(errno_value, "connecting to xenstored at '" + path + "'"));
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
    : socket_(std::move(socket)), reader_([this] { run(); }) {}

HostConnection::~HostConnection() {
  ::shutdown(socket_.get(), SHUT_RDWR);
  reader_.join();
}

Result<std::vector<HostConnection::Reply>> HostConnection::ask(
    std::span<const HostRequest> requests) {
  HostExchange::Batch batch;
  XL_TRY_ASSIGN(const std::string bytes, exchange_.begin(requests, &batch));
  send(bytes);
  XL_TRY(exchange_.wait(batch));
  return std::move(batch.replies);
}

Result<HostConnection::Reply> HostConnection::ask(HostRequest request) {
  XL_TRY_ASSIGN(std::vector<Reply> replies, ask(std::span(&request, 1)));
  return std::move(replies.front());
}

void HostConnection::tell(const HostRequest& request) {
  if (const auto bytes = exchange_.begin(std::span(&request, 1), nullptr)) {
    send(*bytes);
  }
}

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

void HostConnection::run() {
  std::array<std::byte, buffer_size> buffer;
  for (;;) {
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      break_off(broken(count == 0 ? 0 : errno));
      return;
    }
    const auto received =
        exchange_.receive(std::span(buffer).first(static_cast<std::size_t>(count)));
    if (!received) {
      break_off(received.error());
      return;
    }
  }
}

// Whoever is still sending or reading finds that out as well.
void HostConnection::break_off(Error why) {
  exchange_.end(std::move(why));
  ::shutdown(socket_.get(), SHUT_RDWR);
}

}  // namespace xl::xenstore
