// SPDX-License-Identifier: Apache-2.0
// What a client does when xld dies under it: the next xld finds all domains, so what can be asked
// twice is asked again, once; and of a create it can be said what became of it.
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "libxl++/api/client.hpp"
#include "libxl++/api/launch.hpp"
#include "libxl++/api/unix_socket.hpp"

namespace xl::api {
namespace {

// Doing it twice is doing it once.
bool is_repeatable(std::string_view method, std::string_view target) {
  return method == "GET" || method == "DELETE" || method == "PUT" || target.ends_with("/pause") ||
         target.ends_with("/unpause") || target == "/v1/check";
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// There is no answer. An answered error may be of the same class: the disk is full, a log cannot be
// written.
bool is_lost(const Result<HttpResponse>& response) {
  return !response && response.error().code == ErrorCode::io;
}

pid_t server_of(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : -1;
}

// One that is being killed takes connections until the kernel has closed its socket. Not for long:
// it may be alive, and have hung up for a reason of its own.
void await_end(pid_t server) {
  constexpr int patience_ms = 1000;
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, server, 0)));
  pollfd entry{process.get(), POLLIN, 0};
  if (process) {
    ::poll(&entry, 1, patience_ms);
  }
}

}  // namespace

bool Client::daemon_ended(int stream) const {
  const Result<UniqueFd> now = connect_unix(dir_.socket());
  return !now || server_of(now->get()) != server_of(stream);
}

Result<void> Client::reconnect() {
  const pid_t lost = server_of(http_.fd());
  Result<Launched> started = connect_or_start(dir_);
  if (started && server_of(started->connection.get()) == lost) {
    await_end(lost);
    started = connect_or_start(dir_);
  }
  if (!started) {
    // Whatever its code: xld is not there, and that says nothing of the domain that was asked for.
    return fail(ErrorId::daemon_went_away, describe(started.error()));
  }
  Launched launched = std::move(started).value();
  http_ = HttpClient(std::move(launched.connection));
  return {};
}

Result<HttpResponse> Client::request(std::string_view method, std::string_view target,
                                     std::string_view body) {
  Result<HttpResponse> response = http_.request(method, target, body);
  if (!is_lost(response) || !may_start_ || !is_repeatable(method, target)) {
    return response;
  }
  XL_TRY(reconnect());
  response = http_.request(method, target, body);
  // The one that died had done it already.
  return response && method == "DELETE" && response->status == 404
             ? Result<HttpResponse>(HttpResponse{204, {}})
             : std::move(response);
}

Answer<CreatedView> Client::create(const CreateRequest& request) {
  const std::int64_t began_ms = now_ms();
  Result<HttpResponse> response = post_create(request);
  if (!is_lost(response) || !may_start_) {
    return created_of(std::move(response));
  }
  const auto ended = [](std::string what) -> Unexpected<WireError> {
    return Unexpected(WireError(
        make_error(ErrorId::daemon_went_away, "xld ended during the create; " + std::move(what))));
  };
  XL_TRY(reconnect());
  const Answer<CheckedView> checked = check(request);
  if (!checked) {
    return ended("`xl list` tells whether the domain exists");
  }
  const Answer<DomainView> found = find(checked->name);
  if (!found || found->created_ms < began_ms || request.hold) {
    return ended("the domain '" + checked->name + "' was undone");
  }
  CreatedView view;
  view.domid = found->domid;
  view.name = found->name;
  view.rendered_warnings = checked->rendered_warnings;
  view.warnings.push_back("xld ended during the create; the domain '" + found->name + "' exists");
  return view;
}

}  // namespace xl::api
