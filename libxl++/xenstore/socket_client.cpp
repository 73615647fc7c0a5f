// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/socket_client.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace xl::xenstore {
namespace {

constexpr std::size_t buffer_size = 16 << 10;
// Requests and answers of one pump, so that one tool does not keep the others waiting.
constexpr int max_turns = 16;

}  // namespace

SocketClient::State SocketClient::pump(bool readable) {
  for (int turn = 0; turn < max_turns; ++turn) {
    if (!write_answers()) {
      return is_over_ ? State::over : State::writing;
    }
    if (input_.empty()) {
      if (!std::exchange(readable, false)) {
        return State::reading;
      }
      if (!read_requests()) {
        return is_over_ ? State::over : State::reading;
      }
    }
    input_.erase(0, client_->receive(std::as_bytes(std::span(input_))));
  }
  return State::busy;
}

bool SocketClient::write_answers() {
  for (;;) {
    if (output_.empty()) {
      std::array<std::byte, buffer_size> answers;
      const std::size_t count = client_->send(answers);
      if (count == 0) {
        is_over_ = client_->broken();
        return !is_over_;
      }
      output_.assign(reinterpret_cast<const char*>(answers.data()), count);
    }
    const ssize_t sent =
        ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      is_over_ = errno != EAGAIN && errno != EINTR;
      return false;
    }
    output_.erase(0, static_cast<std::size_t>(sent));
  }
}

bool SocketClient::read_requests() {
  std::array<char, buffer_size> bytes;
  const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count > 0) {
    input_.assign(bytes.data(), static_cast<std::size_t>(count));
    return true;
  }
  is_over_ = count == 0 || (errno != EAGAIN && errno != EINTR);
  return false;
}

}  // namespace xl::xenstore
