// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/server.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>
#include <vector>

#include "libxl++/api/server_core.hpp"

namespace xl::api {
namespace {

using boost::system::error_code;

// Sent without having read anything.
const std::string& too_many() {
  static const std::string response = [] {
    const Reply reply =
        error_reply(WireError(make_error(ErrorId::too_many_connections, "too many connections",
                                         "try again later")),
                    503);
    return "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
           "Content-Type: application/json\r\nContent-Length: " +
           std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
  }();
  return response;
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class UnixServer final : public Server {
 public:
  UnixServer(toolstack::Toolstack& toolstack, DaemonFacts facts, ServerLimits limits)
      : core_(toolstack, std::move(facts), limits), acceptor_(core_.loop), pause_(core_.loop) {
    core_.service.started_ms = now_ms();
    core_.stop = [this] { stop(); };
  }
  ~UnixServer() override { finish(); }

  Result<void> listen(UniqueFd listener) {
    error_code error;
    acceptor_.assign(asio::local::stream_protocol(), listener.get(), error);
    if (error) {
      return fail(ErrorCode::io, "serving on the socket: " + error.message());
    }
    static_cast<void>(listener.release());
    return {};
  }

  void run() override {
    accept();
    core_.loop.run();
    finish();
  }

  void stop() override {
    asio::post(core_.loop, [this] {
      core_.service.stopping = true;
      error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
      // A copy: closing takes connections out of the set.
      for (Connection* connection :
           std::vector<Connection*>(core_.open.begin(), core_.open.end())) {
        if (core_.open.contains(connection)) {
          connection->leave();
        }
      }
    });
  }

  std::size_t connections() const override { return core_.count; }

 private:
  void accept() {
    acceptor_.async_accept([this](const error_code& error, Socket socket) {
      if (!acceptor_.is_open()) {
        return;
      }
      if (error) {
        return accept_later(error);
      }
      if (core_.open.size() >= core_.limits.connections) {
        ::send(socket.native_handle(), too_many().data(), too_many().size(),
               MSG_NOSIGNAL | MSG_DONTWAIT);
      } else {
        start_session(core_, std::move(socket));
      }
      accept();
    });
  }

  // Out of descriptors, most likely. The pending connection stays in the backlog.
  void accept_later(const error_code& error) {
    spdlog::warn("cannot accept a connection: {}", error.message());
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](const error_code& cancelled) {
      if (!cancelled) {
        accept();
      }
    });
  }

  // The lanes' last results are posted to the loop, which then has nothing left.
  void finish() {
    core_.lanes_closed = true;
    core_.slow.join();
    core_.patient.join();
    core_.quick.join();
    core_.loop.restart();
    core_.loop.poll();
  }

  ServerCore core_;
  asio::local::stream_protocol::acceptor acceptor_;
  asio::steady_timer pause_;
};

}  // namespace

bool hung_up(Socket& socket) {
  pollfd fd = {socket.native_handle(), 0, 0};
  return ::poll(&fd, 1, 0) > 0 && (fd.revents & (POLLHUP | POLLERR)) != 0;
}

void ServerCore::later(asio::thread_pool& lane, std::function<void()> task) {
  if (lanes_closed) {
    task();
  } else {
    asio::post(lane, std::move(task));
  }
}

Result<std::unique_ptr<Server>> Server::create(toolstack::Toolstack& toolstack, UniqueFd listener,
                                               DaemonFacts facts, ServerLimits limits) {
  auto server = std::make_unique<UnixServer>(toolstack, std::move(facts), limits);
  XL_TRY(server->listen(std::move(listener)));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace xl::api
