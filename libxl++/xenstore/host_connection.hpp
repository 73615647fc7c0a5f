// SPDX-License-Identifier: Apache-2.0
// HostConnection: a HostExchange at the socket of a xenstored. Whoever asks reads the replies
// itself, also those of others, unless somebody does so already: that saves waking one thread only
// to wake another, which is most of what a short request costs. While nobody asks a thread of its
// own reads the events.
//
// Thread rule: every function from any thread but those that wait for a reply from a watch's call.
// A connection that has broken stays so; every call fails at once then.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/xenstore/host_exchange.hpp"

namespace xl::xenstore {

class HostConnection {
 public:
  using Reply = HostExchange::Reply;

  // `socket` is a connected, blocking unix stream socket.
  explicit HostConnection(UniqueFd socket);
  // Errors: of the system, naming the path.
  static Result<UniqueFd> open(const std::string& path);
  // Nobody may be asking any more.
  ~HostConnection();
  HostConnection(const HostConnection&) = delete;
  HostConnection& operator=(const HostConnection&) = delete;

  // All in one go; xenstored answers them in their order, whatever others ask meanwhile. Errors:
  // limit, a payload too long (nothing was sent then); io, protocol: the connection.
  Result<std::vector<Reply>> ask(std::span<const HostRequest> requests);
  Result<Reply> ask(HostRequest request);
  // The same in two steps, for a connection that one thread alone uses and that has no watch:
  // others can be asked in between. `batch` stays where it is until finish() has returned.
  Result<void> start(std::span<const HostRequest> requests, HostExchange::Batch& batch);
  Result<std::vector<Reply>> finish(HostExchange::Batch& batch);
  // Nobody hears of the answer.
  void tell(const HostRequest& request);

  HostExchange& exchange() { return exchange_; }

 private:
  bool ask_and_read(std::string_view bytes, const HostExchange::Batch& batch);
  bool send_and_read(std::string_view bytes);
  void send(std::string_view bytes);
  bool receive(int flags);
  void listen(bool listening);
  void run();
  void break_off(Error why);

  const UniqueFd socket_;
  const UniqueFd poll_;  // epoll, for the thread
  std::mutex reading_;   // before sending_
  std::mutex sending_;   // messages go out whole
  HostExchange exchange_;
  std::thread reader_;  // last: starts when all else is there
};

}  // namespace xl::xenstore
