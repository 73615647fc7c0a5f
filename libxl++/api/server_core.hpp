// SPDX-License-Identifier: Apache-2.0
// What the server's connections share: the loop, the lanes, the service, the limits. For the
// server's own .cpp files: includes Boost.Asio.
//
// Thread rule: everything about a connection happens on the loop's one thread, its end included: a
// task on a lane moves its reference to the connection into what it posts back to the loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "libxl++/api/routes.hpp"
#include "libxl++/api/server.hpp"
#include "libxl++/coredump/output.hpp"

namespace xl::api {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

// Anything that keeps a connection open.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void close() = 0;          // loop thread; drops the connection and cancels what it runs
  virtual void leave() { close(); }  // the same when the server stops: may say so to the peer
};

struct ServerCore {
  ServerCore(toolstack::Toolstack& toolstack, DaemonFacts facts, ServerLimits bounds)
      : service{toolstack, std::move(facts)},
        limits(bounds),
        quick(bounds.quick_threads),
        slow(bounds.slow_threads),
        patient(bounds.patient_threads) {}

  asio::thread_pool& pool(Lane lane) {
    return lane == Lane::slow ? slow : lane == Lane::patient ? patient : quick;
  }

  // Runs `task` on a lane; at the server's end, when the lanes take no more, here and now.
  void later(asio::thread_pool& lane, std::function<void()> task);

  Service service;
  const ServerLimits limits;
  std::set<Connection*> open;         // loop thread
  std::atomic<std::size_t> count{0};  // of `open`, for any thread
  std::function<void()> stop;         // ends the server; any thread
  bool lanes_closed = false;          // loop thread
  asio::io_context loop{1};
  asio::thread_pool quick;
  asio::thread_pool slow;
  asio::thread_pool patient;
};

// A connection's place in ServerCore::open. Loop thread.
class Registered {
 public:
  Registered(ServerCore& core, Connection* connection) : core_(core), connection_(connection) {
    core_.open.insert(connection_);
    core_.count = core_.open.size();
  }
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;
  ~Registered() {
    core_.open.erase(connection_);
    core_.count = core_.open.size();
  }

 private:
  ServerCore& core_;
  Connection* connection_;
};

// Whether the peer has closed, not only ended its own sending.
bool hung_up(Socket& socket);

struct CoreRequest {
  std::string domain;
  bool live = false;
  coredump::Compression compression = coredump::Compression::none;
};
// Error: protocol.
Result<CoreRequest> parse_core_request(const Request& request);

void start_session(ServerCore& core, Socket socket);
// Writes a core file to a descriptor that comes next on the connection.
void start_core(ServerCore& core, Socket socket, CoreRequest request);
// A connection that has become a stream: subscribes on a lane, sends the head, then what comes.
void start_console(ServerCore& core, Socket socket, std::string early, std::string domain);
// With `after`, first the events that are kept and have a higher number.
void start_events(ServerCore& core, Socket socket, std::optional<std::uint64_t> after);

}  // namespace xl::api
