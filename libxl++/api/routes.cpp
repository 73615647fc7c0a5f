// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/routes.hpp"

#include <exception>
#include <new>

#include "libxl++/api/handlers.hpp"

namespace xl::api {
namespace {

bool matches(std::string_view pattern, const std::vector<std::string>& segments,
             std::vector<std::string>& captured) {
  captured.clear();
  for (const std::string& segment : segments) {
    if (pattern.empty()) {
      return false;
    }
    pattern.remove_prefix(1);  // the '/'
    const std::string_view want = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(want.size());
    if (want == "{}") {
      captured.push_back(segment);
    } else if (want != segment) {
      return false;
    }
  }
  return pattern.empty();
}

}  // namespace

const std::vector<Route>& routes() {
  static const std::vector<Route> table = {
      {"GET", "/v1/domains", Lane::quick, list_domains},
      {"POST", "/v1/domains", Lane::slow, create_domain},
      {"POST", "/v1/check", Lane::slow, check_config},
      {"GET", "/v1/libxl", Lane::quick, libxl_list},
      {"GET", "/v1/domains/{}", Lane::quick, get_domain},
      {"DELETE", "/v1/domains/{}", Lane::slow, destroy_domain},
      {"POST", "/v1/domains/{}/pause", Lane::quick, pause_domain},
      {"POST", "/v1/domains/{}/unpause", Lane::quick, unpause_domain},
      {"POST", "/v1/domains/{}/rename", Lane::quick, rename_domain},
      {"POST", "/v1/domains/{}/shutdown", Lane::patient, shutdown_domain},
      {"POST", "/v1/domains/{}/sysrq", Lane::patient, sysrq_domain},
      {"GET", "/v1/domains/{}/memory", Lane::quick, get_memory},
      {"POST", "/v1/domains/{}/memory", Lane::quick, set_memory},
      {"GET", "/v1/domains/{}/counters", Lane::quick, domain_counters},
      {"GET", "/v1/domains/{}/console", Lane::console, console_log},
      {"GET", "/v1/events", Lane::events, recent_events},
      {"GET", "/v1/host", Lane::quick, get_host},
      {"GET", "/v1/host/counters", Lane::quick, host_counters},
      {"GET", "/v1/host/log", Lane::quick, get_hypervisor_log},
      {"DELETE", "/v1/host/log", Lane::quick, clear_hypervisor_log},
      {"POST", "/v1/images/inspect", Lane::slow, inspect_image},
      {"GET", "/v1/daemon", Lane::quick, get_daemon},
      {"POST", "/v1/daemon/stop", Lane::slow, stop_daemon},
  };
  return table;
}

std::variant<const Route*, Reply> find_route(Request& request) {
  bool path_known = false;
  for (const Route& route : routes()) {
    if (!matches(route.pattern, request.target.segments, request.captured)) {
      continue;
    }
    if (route.method == request.method) {
      return &route;
    }
    path_known = true;
  }
  if (path_known) {
    return error_reply(WireError(Error{ErrorCode::not_supported,
                                       "this path does not take that method",
                                       "see openapi.yaml",
                                       {}}),
                       405);
  }
  return error_reply(
      WireError(Error{ErrorCode::not_found, "there is no such path", "see openapi.yaml", {}}), 404);
}

Reply answer(const Route& route, Service& service, const Request& request) {
  try {
    Answer<Reply> reply = route.handle(service, request);
    return reply ? std::move(reply).value() : error_reply(reply.error());
  } catch (const std::bad_alloc&) {
    return error_reply(WireError(Error{ErrorCode::no_memory, "xld is out of memory", {}, {}}));
  } catch (const std::exception& bug) {
    return error_reply(
        WireError(Error{ErrorCode::internal, std::string("a bug in xld: ") + bug.what(), {}, {}}));
  }
}

}  // namespace xl::api
