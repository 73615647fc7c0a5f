// SPDX-License-Identifier: Apache-2.0
#include "xl/console_session.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "xl/output.hpp"

namespace xl::cli {
namespace {

constexpr char detach_key = 0x1d;  // ^]

bool try_again(int error) {
  return error == EINTR || error == EAGAIN;
}

}  // namespace

ConsoleSession::ConsoleSession(api::ByteStream stream) : fd_(std::move(stream.fd)) {
  print(stream.early);
}

Outcome<void> ConsoleSession::show(std::string_view bytes) {
  print(bytes);
  if (!flush_output()) {
    return Unexpected(Failure(Exit::failure, ErrorId::output_lost,
                              "standard output does not take the console's text"));
  }
  return {};
}

Outcome<bool> ConsoleSession::receive() {
  char bytes[16 * 1024];
  const ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (got > 0) {
    XL_TRY(show({bytes, static_cast<std::size_t>(got)}));
    return true;
  }
  if (got < 0 && try_again(errno)) {
    return true;
  }
  return false;  // also when xld died: the caller finds that out by its next request
}

Outcome<bool> ConsoleSession::take_input() {
  char bytes[1024];
  const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof bytes);
  if (got < 0 && try_again(errno)) {
    return true;
  }
  if (got <= 0) {
    input_open_ = false;
    return true;
  }
  const std::string_view typed(bytes, static_cast<std::size_t>(got));
  const std::size_t key = typed.find(detach_key);
  input_.append(typed.substr(0, key));
  return key == std::string_view::npos;
}

Outcome<void> ConsoleSession::send_input() {
  const ssize_t sent = ::send(fd_.get(), input_.data(), input_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) {
    input_.erase(0, static_cast<std::size_t>(sent));
  } else if (sent < 0 && !try_again(errno)) {
    input_.clear();  // nobody takes input any more; the reading side sees the end
    input_open_ = false;
  }
  return {};
}

Outcome<ConsoleSession::Stop> ConsoleSession::run(int other_fd) {
  XL_TRY(show({}));
  while (true) {
    // Input is read only when the last was sent: a guest that does not read holds the typist up.
    pollfd fds[3] = {{fd_.get(), static_cast<short>(POLLIN | (input_.empty() ? 0 : POLLOUT)), 0},
                     {input_open_ && input_.empty() ? STDIN_FILENO : -1, POLLIN, 0},
                     {other_fd, POLLIN, 0}};
    if (::poll(fds, 3, -1) < 0) {
      if (errno == EINTR) {
        continue;
      }
      return Unexpected(Failure(system_error(errno, "waiting for the console")));
    }
    if ((fds[0].revents & POLLOUT) != 0) {
      XL_TRY(send_input());
    }
    if ((fds[0].revents & ~POLLOUT) != 0) {
      XL_TRY_ASSIGN(const bool more, receive());
      if (!more) {
        return Stop::console_ended;
      }
    }
    if (fds[1].revents != 0) {
      XL_TRY_ASSIGN(const bool attached, take_input());
      if (!attached) {
        XL_TRY(send_input());
        return Stop::detached;
      }
    }
    if (fds[2].revents != 0) {
      return Stop::other_readable;
    }
  }
}

Outcome<void> ConsoleSession::drain() {
  while (true) {
    pollfd fd = {fd_.get(), POLLIN, 0};
    if (::poll(&fd, 1, 0) <= 0) {
      return {};
    }
    XL_TRY_ASSIGN(const bool more, receive());
    if (!more) {
      return {};
    }
  }
}

}  // namespace xl::cli
