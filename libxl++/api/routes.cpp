// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/routes.hpp"

#include <chrono>
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
      {"POST", "/v1/convert", Lane::slow, convert_config},
      {"POST", "/v1/validate", Lane::slow, validate_configs},
      {"POST", "/v1/parse/cpumap", Lane::quick, parse_cpumap},
      {"POST", "/v1/parse/{}", Lane::quick, parse_device},
      {"GET", "/v1/libxl", Lane::quick, libxl_list},
      {"GET", "/v1/domains/{}", Lane::quick, get_domain},
      {"DELETE", "/v1/domains/{}", Lane::slow, destroy_domain},
      {"POST", "/v1/domains/{}/pause", Lane::quick, pause_domain},
      {"POST", "/v1/domains/{}/unpause", Lane::quick, unpause_domain},
      {"POST", "/v1/domains/{}/rename", Lane::quick, rename_domain},
      {"GET", "/v1/domains/{}/core", Lane::core, core_needs_upgrade},
      {"POST", "/v1/domains/{}/shutdown", Lane::patient, shutdown_domain},
      {"POST", "/v1/domains/{}/sysrq", Lane::patient, sysrq_domain},
      {"GET", "/v1/vcpus", Lane::quick, list_vcpus},
      {"GET", "/v1/scheduling", Lane::quick, get_scheduling},
      {"GET", "/v1/domains/{}/vcpus", Lane::quick, list_vcpus},
      {"POST", "/v1/domains/{}/affinity", Lane::quick, pin_vcpus},
      {"GET", "/v1/domains/{}/scheduling", Lane::quick, get_scheduling},
      {"POST", "/v1/domains/{}/scheduling", Lane::quick, set_scheduling},
      {"POST", "/v1/domains/{}/vcpus", Lane::patient, set_vcpus},
      {"POST", "/v1/domains/{}/trigger", Lane::quick, trigger_domain},
      {"GET", "/v1/domains/{}/memory", Lane::quick, get_memory},
      {"POST", "/v1/domains/{}/memory", Lane::quick, set_memory},
      {"GET", "/v1/domains/{}/counters", Lane::quick, domain_counters},
      {"GET", "/v1/domains/{}/console", Lane::console, console_log},
      {"GET", "/v1/events", Lane::events, recent_events},
      {"GET", "/v1/host", Lane::quick, get_host},
      {"GET", "/v1/host/counters", Lane::quick, host_counters},
      {"GET", "/v1/host/log", Lane::quick, get_hypervisor_log},
      {"DELETE", "/v1/host/log", Lane::quick, clear_hypervisor_log},
      {"GET", "/v1/metrics", Lane::quick, get_metrics},
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
    return error_reply(
        WireError(make_error(ErrorId::method_not_allowed, "this path does not take that method",
                             "see openapi.yaml")),
        405);
  }
  return error_reply(
      WireError(make_error(ErrorId::no_such_path, "there is no such path", "see openapi.yaml")),
      404);
}

namespace {

Reply answer_uncounted(const Route& route, Service& service, const Request& request) {
  try {
    Answer<Reply> reply = route.handle(service, request);
    return reply ? std::move(reply).value() : error_reply(reply.error());
  } catch (const std::bad_alloc&) {
    return error_reply(WireError(make_error(ErrorId::daemon_out_of_memory, "xld is out of memory",
                                            "`xl doctor` shows memory and limits")));
  } catch (const std::exception& bug) {
    return error_reply(
        WireError(Error{ErrorCode::internal, std::string("a bug in xld: ") + bug.what(), {}, {}}));
  }
}

}  // namespace

Reply answer(const Route& route, Service& service, const Request& request) {
  const auto start = std::chrono::steady_clock::now();
  Reply reply = answer_uncounted(route, service, request);
  RouteAccount& account = service.accounts.at(static_cast<std::size_t>(&route - routes().data()));
  account.nanoseconds += static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
  account.errors += reply.status >= 400 ? 1 : 0;
  ++account.count;
  return reply;
}

}  // namespace xl::api
