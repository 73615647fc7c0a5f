// SPDX-License-Identifier: Apache-2.0
// The table of endpoints: which function answers which method and path, and on which lane. The
// handlers are free of transport; they call the Toolstack and may block.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libxl++/api/host_config_file.hpp"
#include "libxl++/api/request.hpp"
#include "libxl++/api/server.hpp"

namespace xl::api {

// What came of one route's requests. Any thread.
struct RouteAccount {
  std::atomic<std::uint64_t> count{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> nanoseconds{0};
};

// What the handlers share. Any thread.
struct Service {
  toolstack::Toolstack& toolstack;
  DaemonFacts facts;
  std::int64_t started_ms = 0;
  HostConfigFile host_config{};
  std::atomic<std::uint64_t> log_cleared{0};      // `xl dmesg -c`: the log starts here
  std::atomic<bool> stopping{false};              // no more creates
  std::array<RouteAccount, 64> accounts{};        // by the route's place in routes()
  std::atomic<std::uint64_t> event_streams{0};    // opened so far
  std::atomic<std::uint64_t> console_streams{0};  // the same
};

enum class Lane {
  quick,    // a question, or a step that never waits for much
  slow,     // makes, destroys, reads files
  patient,  // waits for a guest
  core,     // writes to a descriptor after an Upgrade, is refused without
  console,  // a byte stream after an Upgrade, the log as text without
  events,   // a stream of lines; with follow=false those that are kept
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // segments; "{}" takes any one segment
  Lane lane;
  Answer<Reply> (*handle)(
      Service&,
      const Request&);  // of console: without Upgrade; of events: without a stream
};

const std::vector<Route>& routes();

// Finds the route and fills request.captured. An error is ready to be sent: 404, or 405.
std::variant<const Route*, Reply> find_route(Request& request);

// Runs the route's handler. Errors and exceptions become replies.
Reply answer(const Route& route, Service& service, const Request& request);

}  // namespace xl::api
