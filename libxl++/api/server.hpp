// SPDX-License-Identifier: Apache-2.0
// Server: the API of openapi.yaml over HTTP/1.1 on a unix socket. One thread (the caller of run)
// moves bytes; two small pools make the Toolstack's blocking calls, so that a question never waits
// behind a create.
//
// What a client can do to others is bounded: size of head and body, time for a request to arrive,
// number of connections, bytes waiting for a slow reader. A client that vanishes while its domain
// is being created cancels that create.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xl::toolstack {
class Toolstack;
}

namespace xl::api {

struct ServerLimits {
  std::uint32_t head_bytes = 16 * 1024;
  std::uint64_t body_bytes = 8 * 1024 * 1024;      // a config is at most 1 MiB (6 as escaped JSON)
  std::size_t connections = 2048;                  // above: 503 and closed
  std::chrono::milliseconds request_time{15'000};  // to send a whole request; and idle between two
  std::size_t stream_backlog = 4 * 1024 * 1024;    // bytes waiting for one slow stream reader
  std::size_t quick_threads = 4;                   // questions, pause, console input
  std::size_t slow_threads = 16;                   // create, destroy, inspect
  std::size_t patient_threads = 16;                // shutdown, SysRq: waits for guests
};

// What the daemon says of itself.
struct DaemonFacts {
  std::string version;
  std::string runtime_dir;
  std::string socket;
  std::string log_file;  // empty: it logs to stderr
  std::vector<std::string> xenstore_sockets = {};
};

class Server {
 public:
  // Serves on `listener` (from listen_unix). `toolstack` outlives the server.
  static Result<std::unique_ptr<Server>> create(toolstack::Toolstack& toolstack, UniqueFd listener,
                                                DaemonFacts facts, ServerLimits limits = {});
  virtual ~Server() = default;

  // Serves until stop is called, by anybody: a client of the API, a signal handler's thread. Then
  // every connection is closed and running creates are cancelled and waited for.
  virtual void run() = 0;
  virtual void stop() = 0;  // any thread, any number of times
  virtual std::size_t connections() const = 0;
};

}  // namespace xl::api
