// SPDX-License-Identifier: Apache-2.0
// SocketClient: a tool's connection over a unix socket. Bytes are read only when all answers have
// been written, so a client that does not read its answers is not read either, and holds no more
// than a buffer in each direction.
//
// Thread rule: the SocketServer's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/unique_fd.hpp"
#include "libxl++/xenstore/server.hpp"

namespace xl::xenstore {

class SocketClient {
 public:
  SocketClient(UniqueFd socket, std::unique_ptr<Client> client)
      : socket_(std::move(socket)), client_(std::move(client)) {}

  enum class State {
    reading,  // waits for bytes from the tool
    writing,  // waits for room for more answers
    busy,     // there is more to do: to be called again after the others
    over,     // the tool has gone, or broke the protocol
  };
  // Moves what there is, a bounded amount of it. `readable`: there are bytes to be read.
  State pump(bool readable);

  int fd() const { return socket_.get(); }
  State state = State::reading;  // as the server has arranged for

 private:
  // False: the socket takes no more now, or is gone.
  bool write_answers();
  bool read_requests();

  UniqueFd socket_;
  std::unique_ptr<Client> client_;
  std::string input_;   // read and not taken yet
  std::string output_;  // answers that the socket has not taken yet
  bool is_over_ = false;
};

}  // namespace xl::xenstore
