// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/client.hpp"
#include "libxl++/api/client_answer.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/launch.hpp"
#include "libxl++/api/unix_socket.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {
namespace {

using nlohmann::json;

std::string domain_target(std::string_view domain, std::string_view rest = {}) {
  return "/v1/domains/" + percent_encode(domain) + std::string(rest);
}

template <typename T>
Answer<T> parse_as(Answer<HttpResponse> response) {
  XL_TRY_ASSIGN(const HttpResponse answer, std::move(response));
  XL_TRY_ASSIGN(const json body, as_answer(parse_json(answer.body)));
  XL_TRY_ASSIGN(T value, as_answer(from_json<T>(body)));
  return value;
}

// What xld refused is an error.
Answer<HttpResponse> granted(Result<HttpResponse> received) {
  XL_TRY_ASSIGN(HttpResponse response, std::move(received));
  if (response.status >= 400) {
    return Unexpected(error_of(response));
  }
  return response;
}

Answer<void> nothing(Answer<HttpResponse> response) {
  XL_TRY(std::move(response));
  return {};
}

// xld went away while it was being asked, or before.
bool may_be_asked_again(const Error& error) {
  return error.code == ErrorCode::io || id_of(error) == ErrorId::daemon_not_running;
}

}  // namespace

WireError error_of(const HttpResponse& response) {
  if (Result<json> body = parse_json(response.body)) {
    if (Result<WireError> error = from_json<WireError>(*body)) {
      return std::move(error).value();
    }
  }
  return WireError(make_error(ErrorId::daemon_bad_answer,
                              "xld answered with status " + std::to_string(response.status),
                              "`xl doctor` compares the versions of xl and xld"));
}

Result<Client> Client::connect(const RuntimeDir& dir) {
  XL_TRY_ASSIGN(Launched launched, connect_or_start(dir));
  Client client(dir, std::move(launched.connection));
  client.started_ = launched.started;
  client.may_start_ = true;
  return client;
}

Result<Client> Client::connect_running(const RuntimeDir& dir) {
  XL_TRY_ASSIGN(UniqueFd connection, connect_unix(dir.socket()));
  return Client(dir, std::move(connection));
}

Answer<HttpResponse> Client::call(std::string_view method, std::string_view target,
                                  std::string_view body) {
  return granted(request(method, target, body));
}

Result<HttpResponse> Client::post_create(const CreateRequest& create) {
  return request("POST", "/v1/domains", dump(to_json(create)));
}

Answer<CreatedView> Client::created_of(Result<HttpResponse> response) {
  return parse_as<CreatedView>(granted(std::move(response)));
}

Answer<CheckedView> Client::check(const CreateRequest& request) {
  return parse_as<CheckedView>(call("POST", "/v1/check", dump(to_json(request))));
}

Answer<std::vector<DomainView>> Client::list() {
  XL_TRY_ASSIGN(const HttpResponse response, call("GET", "/v1/domains"));
  XL_TRY_ASSIGN(const json body, as_answer(parse_json(response.body)));
  const auto entries = body.find("domains");
  if (entries == body.end() || !entries->is_array()) {
    return fail(ErrorId::daemon_bad_answer, "xld's list of domains lacks 'domains'",
                "`xl doctor` compares the versions of xl and xld");
  }
  std::vector<DomainView> domains;
  domains.reserve(entries->size());
  for (const json& entry : *entries) {
    XL_TRY_ASSIGN(DomainView domain, as_answer(from_json<DomainView>(entry)));
    domains.push_back(std::move(domain));
  }
  return domains;
}

Answer<DomainView> Client::find(std::string_view domain) {
  return parse_as<DomainView>(call("GET", domain_target(domain)));
}

Answer<std::string> Client::libxl_json(std::optional<std::string_view> domain) {
  XL_TRY_ASSIGN(HttpResponse response,
                call("GET", domain ? "/v1/libxl?domain=" + percent_encode(*domain)
                                   : std::string("/v1/libxl")));
  return std::move(response.body);
}

Answer<void> Client::pause(std::string_view domain) {
  return nothing(call("POST", domain_target(domain, "/pause")));
}

Answer<void> Client::unpause(std::string_view domain) {
  return nothing(call("POST", domain_target(domain, "/unpause")));
}

Answer<void> Client::destroy(std::string_view domain) {
  return nothing(call("DELETE", domain_target(domain)));
}

Answer<void> Client::rename(std::string_view domain, std::string_view new_name) {
  return nothing(
      call("POST", domain_target(domain, "/rename"), dump({{"name", std::string(new_name)}})));
}

Answer<void> Client::shutdown(std::string_view domain, std::string_view action,
                              std::uint64_t timeout_ms, bool fall_back_to_trigger) {
  return nothing(call("POST", domain_target(domain, "/shutdown"),
                      dump({{"action", std::string(action)},
                            {"timeout_ms", timeout_ms},
                            {"trigger", fall_back_to_trigger}})));
}

Answer<void> Client::sysrq(std::string_view domain, char letter, std::uint64_t timeout_ms) {
  return nothing(call("POST", domain_target(domain, "/sysrq"),
                      dump({{"letter", std::string(1, letter)}, {"timeout_ms", timeout_ms}})));
}

Answer<HostView> Client::host() {
  return parse_as<HostView>(call("GET", "/v1/host"));
}

Answer<LogView> Client::hypervisor_log() {
  XL_TRY_ASSIGN(const HttpResponse response, call("GET", "/v1/host/log"));
  XL_TRY_ASSIGN(const json body, as_answer(parse_json(response.body)));
  JsonReader reader(body, "hypervisor log");
  LogView view;
  reader.need("text", view.text);
  reader.need("next", view.next);
  XL_TRY(reader.check());
  return view;
}

Answer<void> Client::clear_hypervisor_log(std::uint64_t before) {
  return nothing(call("DELETE", "/v1/host/log?before=" + std::to_string(before)));
}

Answer<std::string> Client::inspect(std::string_view path) {
  XL_TRY_ASSIGN(HttpResponse response,
                call("POST", "/v1/images/inspect", dump({{"path", std::string(path)}})));
  return std::move(response.body);
}

Answer<std::string> Client::metrics() {
  XL_TRY_ASSIGN(HttpResponse response, call("GET", "/v1/metrics"));
  return std::move(response.body);
}

Answer<DaemonView> Client::daemon() {
  return parse_as<DaemonView>(call("GET", "/v1/daemon"));
}

Answer<void> Client::stop_daemon(bool all) {
  return nothing(call("POST", "/v1/daemon/stop", dump({{"all", all}})));
}

Result<void> Client::wait_for_end() {
  // The daemon holds this lock as long as it lives.
  const UniqueFd lock(::open(dir_.daemon_lock().c_str(), O_RDONLY | O_CLOEXEC));  // NOLINT
  while (lock && ::flock(lock.get(), LOCK_SH) != 0) {
    if (errno != EINTR) {
      return Unexpected(system_error(errno, "waiting for xld to end"));
    }
  }
  return {};
}

Answer<ByteStream> Client::attach_console(std::string_view domain) {
  XL_TRY_ASSIGN(UniqueFd connection, connect_unix(dir_.socket()));
  HttpResponse refused;
  XL_TRY_ASSIGN(
      std::optional<ByteStream> stream,
      HttpClient(std::move(connection)).upgrade(domain_target(domain, "/console"), refused));
  if (!stream) {
    return Unexpected(error_of(refused));
  }
  return std::move(*stream);
}

Answer<std::string> Client::console_history(std::string_view domain) {
  XL_TRY_ASSIGN(HttpResponse response, call("GET", domain_target(domain, "/console?history=true")));
  return std::move(response.body);
}

Answer<std::string> Client::recent_events(std::uint64_t after) {
  XL_TRY_ASSIGN(HttpResponse response,
                call("GET", "/v1/events?follow=false&after=" + std::to_string(after)));
  return std::move(response.body);
}

// An xld that dies before it has answered is as good as one that died before.
Answer<LineStream> Client::events(std::optional<std::uint64_t> after) {
  bool is_answered = false;
  const auto open = [&]() -> Answer<LineStream> {
    XL_TRY_ASSIGN(UniqueFd connection, connect_unix(dir_.socket()));
    HttpResponse refused;
    XL_TRY_ASSIGN(
        std::optional<LineStream> stream,
        HttpClient(std::move(connection))
            .stream(after ? "/v1/events?after=" + std::to_string(*after) : "/v1/events", refused));
    is_answered = true;
    if (!stream) {
      return Unexpected(error_of(refused));
    }
    return std::move(*stream);
  };
  Answer<LineStream> stream = open();
  if (is_answered || !may_start_ || !may_be_asked_again(stream.error().error)) {
    return stream;
  }
  XL_TRY(reconnect());
  return open();
}

Result<EventView> parse_event(std::string_view line) {
  XL_TRY_ASSIGN(const json value, as_answer(parse_json(line)));
  return as_answer(from_json<EventView>(value));
}

}  // namespace xl::api
