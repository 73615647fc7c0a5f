// SPDX-License-Identifier: Apache-2.0
// The events that are kept. Those to come are a stream: event_stream.cpp.
#include <nlohmann/json.hpp>

#include "libxl++/api/handlers.hpp"
#include "libxl++/api/views.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {

Answer<Reply> recent_events(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const std::uint64_t after, query_number(request, "after", 0));
  Reply reply;
  reply.type = "application/x-ndjson";
  for (const toolstack::LifecycleEvent& event : service.toolstack.events_after(after)) {
    reply.body += dump(to_json(event_view(event))) + "\n";
  }
  return reply;
}

}  // namespace xl::api
