// SPDX-License-Identifier: Apache-2.0
// HostSocket: a HostExchange at the socket of a xenstored, for one thread at a time that sends and
// then reads what comes back. No thread of its own; HostConnection has one.
//
// A socket that has broken stays so; every call fails at once then.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/xenstore/host_exchange.hpp"

namespace xl::xenstore {

class HostSocket {
 public:
  using Reply = HostExchange::Reply;

  // `socket` is a connected, blocking unix stream socket.
  explicit HostSocket(UniqueFd socket) : socket_(std::move(socket)) {}
  // Errors: of the system, naming the path.
  static Result<UniqueFd> open(const std::string& path);

  // All in one go, in two steps, so that others can be asked in between. `batch` stays where it is
  // until finish() has returned. Errors: limit, a payload too long (nothing was sent then); io,
  // protocol: the socket.
  Result<void> start(std::span<const HostRequest> requests, HostExchange::Batch& batch);
  Result<std::vector<Reply>> finish(HostExchange::Batch& batch);

  HostExchange& exchange() { return exchange_; }
  int fd() const { return socket_.get(); }

  // --- The parts. False: it has broken ---

  // Reads wherever writing would block: a peer may take no more until it has got rid of its
  // replies.
  bool send_and_read(std::string_view bytes);
  // While others read. From one thread at a time.
  bool send(std::string_view bytes);
  // What there is, or waits for it; MSG_DONTWAIT: does not.
  bool receive(int flags);
  bool receive_all(const HostExchange::Batch& batch);
  // Whoever is still sending or reading finds that out as well.
  void break_off(Error why);

 private:
  const UniqueFd socket_;
  HostExchange exchange_;
};

}  // namespace xl::xenstore
