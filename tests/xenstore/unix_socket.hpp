// SPDX-License-Identifier: Apache-2.0
// A store served at a socket in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "libxl++/xenstore/socket_server.hpp"

namespace xl::xenstore::fixture {

inline UniqueFd socket_at(const std::string& path, bool listening) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  if (listening) {
    ::unlink(path.c_str());
    EXPECT_EQ(::bind(fd.get(), address, sizeof name), 0);
    EXPECT_EQ(::listen(fd.get(), 16), 0);
  } else {
    EXPECT_EQ(::connect(fd.get(), address, sizeof name), 0);
  }
  return fd;
}

class ServedStore {
 public:
  ServedStore() {
    std::string pattern = "/tmp/xl-sock-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    start(1000);
  }
  ~ServedStore() {
    stop();
    ::unlink(path().c_str());
    ::rmdir(directory_.c_str());
  }
  void start(std::size_t max_clients) {
    stop();
    std::vector<UniqueFd> listeners;
    listeners.push_back(socket_at(path(), true));
    sockets_ = *SocketServer::create(store_, std::move(listeners), max_clients);
  }
  void stop() { sockets_.reset(); }
  std::string path() const { return directory_ + "/socket"; }
  Server& store() { return *store_; }

 private:
  std::string directory_;
  std::shared_ptr<Server> store_ = std::make_shared<Server>();
  std::unique_ptr<SocketServer> sockets_;
};

}  // namespace xl::xenstore::fixture
