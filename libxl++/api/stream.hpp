// SPDX-License-Identifier: Apache-2.0
// A connection that has become a stream: what a subscription brings goes out as it comes, with a
// bound on what waits for a slow reader. For the server's own .cpp files: includes Boost.Asio.
//
// Loop thread, but for subscribe. Keeps itself alive while an operation is under way. The outbox is
// shared with the subscription's callback, which may come from any thread until the subscription
// has gone.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "libxl++/api/outbox.hpp"
#include "libxl++/api/server_core.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {

class Stream : public Connection, public std::enable_shared_from_this<Stream> {
 public:
  Stream(ServerCore& core, Socket socket);
  ~Stream() override { drop(); }

  void start();
  void close() override;
  void leave() override;

 protected:
  // On a lane: may block. An error is answered as to any request.
  virtual Answer<std::unique_ptr<toolstack::Subscription>> subscribe() = 0;
  virtual std::string head() const = 0;
  // The bytes to send for what was taken out of the outbox.
  virtual std::string encode(Outbox::Taken taken) = 0;
  // What ends the stream when the server stops in good order.
  virtual std::string farewell() const { return {}; }
  // Called with what the client sent; calls read() when it wants more.
  virtual void received(std::string bytes) = 0;

  void read();
  // Closed here, or by the client.
  bool over() { return closed_ || hung_up(socket_); }

  ServerCore& core_;
  std::shared_ptr<Outbox> outbox_;

 private:
  void open(Answer<std::unique_ptr<toolstack::Subscription>>& subscribed);
  void await_end();
  void flush();
  void write();
  void drop();

  Socket socket_;
  Registered registered_;
  std::unique_ptr<toolstack::Subscription> subscription_;
  std::string writing_;
  std::array<char, 4096> input_;
  bool ended_ = false;
  bool closed_ = false;
};

}  // namespace xl::api
