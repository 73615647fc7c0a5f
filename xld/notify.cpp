// SPDX-License-Identifier: Apache-2.0
#include "xld/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/unique_fd.hpp"

namespace xl::daemon {
namespace {

// A starter that does not listen any more is no reason not to run: results are dropped.
void tell_systemd(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = path == nullptr ? 0 : std::strlen(path);
  if (length < 2 || length >= sizeof address.sun_path) {
    return;
  }
  std::memcpy(address.sun_path, path, length);
  if (address.sun_path[0] == '@') {
    address.sun_path[0] = '\0';  // the abstract namespace
  }
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd) {
    ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address),
             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
  }
}

}  // namespace

void notify_ready(std::optional<int> ready_fd) {
  static constexpr std::string_view ready = "READY=1\n";
  if (ready_fd) {
    const UniqueFd fd(*ready_fd);
    static_cast<void>(!::write(fd.get(), ready.data(), ready.size()));
  }
  tell_systemd("READY=1");
}

void notify_stopping() {
  tell_systemd("STOPPING=1");
}

}  // namespace xl::daemon
