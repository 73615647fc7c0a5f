// SPDX-License-Identifier: Apache-2.0
// SocketServer: serves the store to tools over unix sockets, with the stock protocol and domain 0's
// rights: who can open the socket is trusted as far as its mode says. On a thread of its own, so
// that tools and guests do not wait for each other but at the store's lock.
//
// Thread rule: made and destroyed by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/xenstore/server.hpp"

namespace xl::xenstore {

class SocketClient;

class SocketServer {
 public:
  // `listeners` are listening, non-blocking unix sockets. Beyond `max_clients` new ones wait.
  static Result<std::unique_ptr<SocketServer>> create(std::shared_ptr<Server> store,
                                                      std::vector<UniqueFd> listeners,
                                                      std::size_t max_clients = 1000);
  ~SocketServer();
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

 private:
  using Id = std::uint64_t;  // a client's; below the number of listeners, a listener's

  SocketServer(std::shared_ptr<Server> store, std::vector<UniqueFd> listeners,
               std::size_t max_clients, UniqueFd poll, UniqueFd wakeup);
  Result<void> arm();
  void run();
  void accept(std::size_t listener);
  void set_listening(bool listening);
  void serve(Id id, bool readable);
  void serve_woken();
  void wake(Id id);

  const std::shared_ptr<Server> store_;
  const std::vector<UniqueFd> listeners_;
  const std::size_t max_clients_;
  const UniqueFd poll_;    // epoll
  const UniqueFd wakeup_;  // eventfd
  std::mutex mutex_;
  std::vector<Id> woken_;  // clients with events to send
  bool stopping_ = false;
  // The thread alone:
  std::unordered_map<Id, std::unique_ptr<SocketClient>> clients_;
  std::vector<Id> busy_;
  Id next_id_ = 0;
  bool is_listening_ = true;

  std::thread thread_;  // last: starts when all else is there
};

}  // namespace xl::xenstore
