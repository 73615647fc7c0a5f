// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/doorbell.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "hypervisor/abi/host_area.hpp"

namespace xl::hv::bundled {
namespace {

constexpr int connect_rounds = 200;
constexpr int connect_pause_ms = 10;

struct Address {
  UniqueFd directory;  // keeps /proc/self/fd/N valid
  sockaddr_un name{};
};

// sun_path holds 108 bytes, a runtime directory may be deeper: go by the directory's descriptor.
Result<Address> address_in(const std::string& directory, const std::string& name) {
  Address address;
  address.directory.reset(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!address.directory) {
    return Unexpected(system_error(errno, "opening " + directory));
  }
  const std::string path = "/proc/self/fd/" + std::to_string(address.directory.get()) + "/" + name;
  if (path.size() >= sizeof(address.name.sun_path)) {
    return fail(ErrorId::runtime_dir_invalid, "socket name " + name + " is too long");
  }
  address.name.sun_family = AF_UNIX;
  std::memcpy(address.name.sun_path, path.c_str(), path.size() + 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& name) {
  // SAFETY: the socket calls take every family's address through this type.
  return reinterpret_cast<const sockaddr*>(&name);
}

}  // namespace

void Doorbell::ring() const {
  send(abi::ring_byte);
}

void Doorbell::hello() const {
  send(abi::hello_byte);
}

void Doorbell::send(char byte) const {
  ssize_t sent = 0;
  do {
    sent = ::send(socket_.get(), &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
}

bool Doorbell::drain() const {
  char bytes[256];
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got == 0) {
      return false;
    }
    if (got < 0 && errno != EINTR) {
      return errno == EAGAIN;
    }
  }
}

Result<UniqueFd> listen_in(const std::string& directory, const std::string& name) {
  XL_TRY_ASSIGN(const Address address, address_in(directory, name));
  (void)::unlink(address.name.sun_path);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    return Unexpected(system_error(errno, "socket"));
  }
  // Before bind, the mode of the socket's inode is that of the file to be: no moment in which
  // others may connect.
  if (::fchmod(socket.get(), 0600) != 0 ||
      ::bind(socket.get(), generic(address.name), sizeof(address.name)) != 0 ||
      ::listen(socket.get(), 1) != 0) {
    return Unexpected(system_error(errno, "making the socket " + directory + "/" + name));
  }
  return socket;
}

Result<UniqueFd> connect_in(const std::string& directory, const std::string& name) {
  XL_TRY_ASSIGN(const Address address, address_in(directory, name));
  // Not blocking: if a process that hangs does not take connections, connect would wait for ever.
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    return Unexpected(system_error(errno, "socket"));
  }
  int result = 0;
  for (int i = 0; i < connect_rounds; ++i) {
    result = ::connect(socket.get(), generic(address.name), sizeof(address.name));
    if (result == 0 || errno != EAGAIN) {
      break;
    }
    (void)::poll(nullptr, 0, connect_pause_ms);  // others wait before us; nothing tells of it
  }
  if (result != 0) {
    return Unexpected(system_error(errno, "connecting to " + directory + "/" + name));
  }
  return socket;
}

}  // namespace xl::hv::bundled
