// SPDX-License-Identifier: Apache-2.0
// A domain's core file, written to a descriptor that the client passes: the file is opened with the
// client's own rights, in its own working directory, and the bytes do not travel. Lines of JSON
// tell how far it is; the last one tells how it ended (docs/adr/0101).
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <utility>

#include "base/unique_fd.hpp"
#include "libxl++/api/server_core.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr auto between_lines = std::chrono::milliseconds(100);
constexpr int patience_ms = 10'000;  // for the descriptor, and for a reader that does not read

bool wait_for(int fd, short events) {
  pollfd one{fd, events, 0};
  return ::poll(&one, 1, patience_ms) > 0;
}

// The first byte that comes carries it.
Result<UniqueFd> receive_descriptor(int socket) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (!wait_for(socket, POLLIN) ||
      ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1) {
    return fail(ErrorId::bad_request, "no descriptor came");
  }
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (head == nullptr || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS ||
      head->cmsg_len != CMSG_LEN(sizeof(int))) {
    return fail(ErrorId::bad_request, "no descriptor came with the first byte");
  }
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
  return UniqueFd(fd);
}

// Runs on a lane from its start to its end; the loop's thread only may cut it short.
class CoreStream final : public Connection, public std::enable_shared_from_this<CoreStream> {
 public:
  CoreStream(ServerCore& core, Socket socket, CoreRequest request)
      : core_(core),
        socket_(std::move(socket)),
        registered_(core, this),
        request_(std::move(request)) {}

  void start() {
    asio::post(core_.patient, [self = shared_from_this()]() mutable {
      self->serve();
      asio::io_context& loop = self->core_.loop;
      asio::post(loop, [self = std::move(self)] {});  // its end belongs to the loop
    });
  }
  void close() override {
    cancel_.request_stop();
    ::shutdown(socket_.native_handle(), SHUT_RDWR);
  }

 private:
  int fd() { return socket_.native_handle(); }

  void serve() {
    send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: xl-core\r\n\r\n");
    const Result<void> done = dump();
    send(dump_line(done));
    ::shutdown(fd(), SHUT_RDWR);
  }

  Result<void> dump() {
    toolstack::Toolstack& toolstack = core_.service.toolstack;
    XL_TRY_ASSIGN(const UniqueFd file, receive_descriptor(fd()));
    XL_TRY_ASSIGN(const DomId id, toolstack.find(request_.domain));
    return toolstack.dump_core(
        id, file.get(), {request_.live, request_.compression},
        [this](Pages done, Pages total) { report(done, total); }, cancel_.get_token());
  }

  static std::string dump_line(const Result<void>& done) {
    return api::dump(done ? json{{"done", true}} : to_json(WireError(done.error()))) + "\n";
  }

  void report(Pages done, Pages total) {
    if (Clock::now() - last_ < between_lines) {
      return;
    }
    last_ = Clock::now();
    send(api::dump({{"pages", done.count()}, {"of", total.count()}}) + "\n");
    char byte = 0;
    if (::recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
      cancel_.request_stop();  // the client has gone
    }
  }

  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        text.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno != EINTR && (errno != EAGAIN || !wait_for(fd(), POLLOUT))) {
        cancel_.request_stop();
        return;
      }
    }
  }

  ServerCore& core_;
  Socket socket_;
  Registered registered_;
  const CoreRequest request_;
  std::stop_source cancel_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace

void start_core(ServerCore& core, Socket socket, CoreRequest request) {
  std::make_shared<CoreStream>(core, std::move(socket), std::move(request))->start();
}

Result<CoreRequest> parse_core_request(const Request& request) {
  CoreRequest parsed;
  parsed.domain = request.captured.at(0);
  for (const auto& [key, value] : request.target.query) {
    if (key == "live" && (value == "true" || value == "false")) {
      parsed.live = value == "true";
    } else if (const auto how = coredump::parse_compression(value); key == "compression" && how) {
      parsed.compression = *how;
    } else {
      return fail(ErrorId::bad_request, "no such parameter: " + key + "=" + value);
    }
  }
  return parsed;
}

// Without an Upgrade there is no way to pass a descriptor.
Answer<Reply> core_needs_upgrade(Service&, const Request&) {
  return Unexpected(WireError(make_error(ErrorId::method_not_allowed,
                                         "a core file needs 'Upgrade: xl-core' and a descriptor",
                                         "use `xl dump-core`")));
}

}  // namespace xl::api
