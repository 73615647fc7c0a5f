// SPDX-License-Identifier: Apache-2.0
// The doorbell: a byte on the socket behind the hypervisor's COM1 means "look at the shared area",
// in either direction.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xl::hv::bundled {

class Doorbell {
 public:
  explicit Doorbell(UniqueFd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  // Never waits: if the socket is full, the other side has bytes to read already. Any thread.
  void ring() const;
  // Asks the other side to ring back.
  void hello() const;
  // Takes all bytes; false when the other side has closed.
  bool drain() const;

 private:
  void send(char byte) const;
  UniqueFd socket_;
};

// A listening socket DIRECTORY/NAME, mode 0600, for QEMU to inherit; replaces an old one. The
// length of the directory's path is of no matter.
Result<UniqueFd> listen_in(const std::string& directory, const std::string& name);
Result<UniqueFd> connect_in(const std::string& directory, const std::string& name);

}  // namespace xl::hv::bundled
