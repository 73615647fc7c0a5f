// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/unix_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace xl::api {
namespace {

// The address of a socket file, and the folder that it is reached through if its path is long.
struct Address {
  sockaddr_un name{};
  UniqueFd folder;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

Result<Address> address_of(const std::string& path) {
  Address address;
  address.name.sun_family = AF_UNIX;
  std::string reach = path;
  if (path.size() >= sizeof address.name.sun_path) {
    const std::size_t slash = path.rfind('/');
    address.folder = UniqueFd(
        ::open(path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));  // NOLINT
    if (!address.folder) {
      return Unexpected(system_error(errno, "opening the folder of '" + path + "'"));
    }
    reach = "/proc/self/fd/" + std::to_string(address.folder.get()) + path.substr(slash);
    if (reach.size() >= sizeof address.name.sun_path) {
      return fail(ErrorId::runtime_dir_invalid, "the socket's name in '" + path + "' is too long",
                  "set XL_RUNTIME_DIR to a shorter path");
    }
  }
  std::memcpy(address.name.sun_path, reach.c_str(), reach.size() + 1);
  return address;
}

Result<UniqueFd> make_socket(int flags) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!fd) {
    return Unexpected(system_error(errno, "making a socket"));
  }
  return fd;
}

}  // namespace

Result<UniqueFd> connect_unix(const std::string& path) {
  Result<Address> address = address_of(path);
  if (!address) {
    return Unexpected(std::move(address).error());
  }
  XL_TRY_ASSIGN(UniqueFd fd, make_socket(0));
  if (::connect(fd.get(), address->get(), sizeof address->name) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) {
      return fail(ErrorId::daemon_not_running,
                  "xld is not running (nobody listens at '" + path + "')",
                  "`xl daemon start` starts it");
    }
    if (errno == ENOTDIR) {
      return fail(ErrorId::runtime_dir_invalid,
                  "there can be no socket '" + path + "': a part of the path is not a directory",
                  "set XL_RUNTIME_DIR to another path");
    }
    if (errno == EACCES) {
      return fail(
          ErrorId::socket_of_another_user,
          "'" + path + "' is not this user's: there is no permission to connect to it",
          "be the user whose xld that is, or set XL_RUNTIME_DIR to a directory of your own");
    }
    return Unexpected(system_error(errno, "connecting to '" + path + "'"));
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return Unexpected(system_error(errno, "asking who listens at '" + path + "'"));
  }
  if (peer.uid != ::geteuid() && peer.uid != 0) {
    return fail(ErrorId::socket_of_another_user, "another user's process listens at '" + path + "'",
                "set XL_RUNTIME_DIR to a directory that is only yours");
  }
  return fd;
}

Result<UniqueFd> listen_unix(const std::string& path) {
  const std::string unfinished = path + ".new";
  Result<Address> address = address_of(unfinished);
  if (!address) {
    return Unexpected(std::move(address).error());
  }
  XL_TRY_ASSIGN(UniqueFd fd, make_socket(SOCK_NONBLOCK));
  ::unlink(unfinished.c_str());
  // The mode is taken from the descriptor's when bind makes the file.
  if (::fchmod(fd.get(), 0600) != 0 ||
      ::bind(fd.get(), address->get(), sizeof address->name) != 0) {
    return Unexpected(system_error(errno, "binding the socket '" + unfinished + "'"));
  }
  if (::chmod(unfinished.c_str(), 0600) != 0 || ::listen(fd.get(), SOMAXCONN) != 0 ||
      std::rename(unfinished.c_str(), path.c_str()) != 0) {
    return Unexpected(system_error(errno, "listening at '" + path + "'"));
  }
  return fd;
}

}  // namespace xl::api
