// SPDX-License-Identifier: Apache-2.0
// A request and its reply, free of transport: what the routes work with. Pure values.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libxl++/api/wire.hpp"

namespace xl::api {

// A request target, split and percent-decoded.
struct Target {
  std::vector<std::string> segments;
  std::map<std::string, std::string> query;
};

// Untrusted input. Error: protocol.
Result<Target> parse_target(std::string_view text);

struct Request {
  std::string_view method;
  Target target;
  std::string_view body;
  std::vector<std::string> captured;  // what stands for the {...} of the route, in order
  std::stop_token cancel;             // requested when the client vanishes
};

// A number in the query. Error: protocol, if it is not one.
Result<std::uint64_t> query_number(const Request& request, const char* name,
                                   std::uint64_t fallback);

struct Reply {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::optional<DomId> created;   // to be destroyed if the reply cannot be delivered
  bool hold = false;              // ... or if the connection closes before the domain is unpaused
  std::optional<DomId> unpaused;  // ends a hold
  bool stop_daemon = false;       // once the reply is on its way
};

int http_status(ErrorCode code);
Reply error_reply(const WireError& error, int status);
Reply error_reply(const WireError& error);  // with the code's own status

}  // namespace xl::api
