// SPDX-License-Identifier: Apache-2.0
// HostConnection: a HostSocket for many threads, and for watches. Whoever asks reads the replies
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
#include "libxl++/xenstore/host_socket.hpp"

namespace xl::xenstore {

class HostConnection {
 public:
  using Reply = HostExchange::Reply;

  // `socket` is a connected, blocking unix stream socket.
  explicit HostConnection(UniqueFd socket);
  // Nobody may be asking any more.
  ~HostConnection();
  HostConnection(const HostConnection&) = delete;
  HostConnection& operator=(const HostConnection&) = delete;

  // All in one go; xenstored answers them in their order, whatever others ask meanwhile. Errors:
  // limit, a payload too long (nothing was sent then); io, protocol: the connection.
  Result<std::vector<Reply>> ask(std::span<const HostRequest> requests);
  Result<Reply> ask(HostRequest request);
  // Nobody hears of the answer.
  void tell(const HostRequest& request);

  HostExchange& exchange() { return socket_.exchange(); }

 private:
  bool ask_and_read(std::string_view bytes, const HostExchange::Batch& batch);
  void send(std::string_view bytes);
  void listen(bool listening);
  void run();

  HostSocket socket_;
  const UniqueFd poll_;  // epoll, for the thread
  std::mutex reading_;   // before sending_
  std::mutex sending_;   // messages go out whole
  std::thread reader_;   // last: starts when all else is there
};

}  // namespace xl::xenstore
