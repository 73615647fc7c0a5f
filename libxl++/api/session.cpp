// SPDX-License-Identifier: Apache-2.0
// One HTTP connection: reads a request, has it answered on a lane, writes the reply, and again.
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <stop_token>
#include <utility>

#include "libxl++/api/server_core.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Parser = http::request_parser<http::string_body>;

std::string text(beast::string_view view) {
  return {view.data(), view.size()};
}

// What a request that could not be read deserves; none: the connection just ends.
std::optional<Reply> reply_to_broken(const error_code& error) {
  const auto broken = [](int status, ErrorId id, std::string message) {
    return error_reply(WireError(make_error(id, std::move(message))), status);
  };
  if (error == http::error::header_limit) {
    return broken(431, ErrorId::request_too_large, "the request's head is too large");
  }
  if (error == http::error::body_limit) {
    return broken(413, ErrorId::request_too_large, "the request's body is too large");
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error.category() != make_error_code(http::error::bad_version).category()) {
    return std::nullopt;
  }
  return broken(400, ErrorId::bad_request, "this is not HTTP: " + error.message());
}

class Session final : public Connection, public std::enable_shared_from_this<Session> {
 public:
  Session(ServerCore& core, Socket socket)
      : core_(core), socket_(std::move(socket)), deadline_(core.loop), registered_(core, this) {}
  ~Session() override { destroy_held(); }

  void start() { read_head(); }
  void close() override {
    gone_ = true;
    cancel_.request_stop();
    no_limit();
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  void read_head() {
    parser_.emplace();
    parser_->header_limit(core_.limits.head_bytes);
    parser_->body_limit(core_.limits.body_bytes);
    limit_time();
    http::async_read_header(socket_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, std::size_t) {
                              error ? self->refuse(error) : self->read_body();
                            });
  }

  void read_body() {
    if (parser_->get()[http::field::expect] == "100-continue") {
      static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      asio::async_write(socket_, asio::buffer(go_on),
                        [self = shared_from_this()](error_code error, std::size_t) {
                          error ? self->refuse(error) : self->read_rest();
                        });
      return;
    }
    read_rest();
  }

  void read_rest() {
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, std::size_t) {
                       error ? self->refuse(error) : self->handle();
                     });
  }

  void refuse(const error_code& error) {
    keep_alive_ = false;
    const bool idle = !parser_->got_some() && buffer_.size() == 0;
    if (std::exchange(late_, false) && !idle) {
      return write(error_reply(
          WireError(make_error(ErrorId::request_too_slow, "the request took too long to arrive")),
          408));
    }
    if (std::optional<Reply> reply = reply_to_broken(error)) {
      return write(std::move(*reply));
    }
    close();
  }

  void handle() {
    const auto& message = parser_->get();
    keep_alive_ = message.keep_alive();
    Result<Target> target = parse_target(text(message.target()));
    if (!target) {
      return write(error_reply(WireError(std::move(target).error())));
    }
    Request request;
    const std::string method = text(message.method_string());
    request.method = method;
    request.target = std::move(target).value();
    std::variant<const Route*, Reply> found = find_route(request);
    if (Reply* reply = std::get_if<Reply>(&found)) {
      return write(std::move(*reply));
    }
    const Route& route = *std::get<const Route*>(found);
    if (route.lane == Lane::events && request.target.query["follow"] != "false") {
      return stream_events(request);
    }
    if (route.lane == Lane::console && message[http::field::upgrade] == "xl-console") {
      const auto rest = buffer_.cdata();
      std::string early(static_cast<const char*>(rest.data()), rest.size());
      return start_console(core_, release(), std::move(early), request.captured.at(0));
    }
    if (route.lane == Lane::core && message[http::field::upgrade] == "xl-core") {
      Result<CoreRequest> core = parse_core_request(request);
      return core ? start_core(core_, release(), std::move(core).value())
                  : write(error_reply(WireError(core.error())));
    }
    run(route, std::move(request));
  }

  void stream_events(const Request& request) {
    std::optional<std::uint64_t> after;
    if (request.target.query.contains("after")) {
      const Result<std::uint64_t> number = query_number(request, "after", 0);
      if (!number) {
        return write(error_reply(WireError(number.error())));
      }
      after = *number;
    }
    start_events(core_, release(), after);
  }

  Socket release() {
    no_limit();
    return std::move(socket_);
  }

  // What is under way on the socket ends with an error when the time is over.
  void limit_time() {
    late_ = false;
    deadline_.expires_after(core_.limits.request_time);
    deadline_.async_wait([weak = weak_from_this(), turn = ++turn_](const error_code& cancelled) {
      const auto self = weak.lock();
      if (!cancelled && self && self->turn_ == turn) {
        self->late_ = true;
        self->socket_.cancel();
      }
    });
  }
  void no_limit() {
    ++turn_;  // for a handler that is on its way already
    deadline_.cancel();
  }

  // Hands the request to a lane. Meanwhile the connection is watched: an end of it is a cancel.
  void run(const Route& route, Request request) {
    no_limit();
    cancel_ = std::stop_source();
    request.cancel = cancel_.get_token();
    working_ = true;
    watch();
    auto work = [self = shared_from_this(), &route, asked = std::move(request)]() mutable {
      const std::string method(route.method);
      asked.method = method;
      asked.body = self->parser_->get().body();
      auto reply = std::make_shared<Reply>(answer(route, self->core_.service, asked));
      asio::io_context& loop = self->core_.loop;
      asio::post(loop, [self = std::move(self), reply] { self->finish(std::move(*reply)); });
    };
    asio::post(core_.pool(route.lane), std::move(work));
  }

  // Only the end of the whole connection counts: a peer may have said its last word (shutdown(2)
  // for writing) and still wait for the answer, or have sent the next request already.
  void watch() {
    socket_.async_wait(Socket::wait_error, [self = shared_from_this()](const error_code& error) {
      if (error || !self->working_) {
        return;
      }
      hung_up(self->socket_) ? self->close() : self->watch();
    });
  }

  void finish(Reply reply) {
    working_ = false;
    if (!gone_) {
      socket_.cancel();
    }
    undelivered_ = reply.created;
    if (reply.hold && reply.created) {
      held_.insert(*reply.created);
    }
    if (reply.unpaused) {
      held_.erase(*reply.unpaused);
    }
    if (gone_) {
      return destroy_held();
    }
    write(std::move(reply));
  }

  void write(Reply reply) {
    if (parser_ && parser_->is_header_done()) {
      const auto& asked = parser_->get();
      spdlog::debug("{} {}: {}", text(asked.method_string()), text(asked.target()), reply.status);
    }
    response_ = {};
    response_.version(11);
    response_.result(static_cast<unsigned>(reply.status));
    response_.keep_alive(keep_alive_);
    if (reply.status != 204) {
      response_.set(http::field::content_type, reply.type);
      response_.body() = std::move(reply.body);
      response_.prepare_payload();
    }
    limit_time();
    http::async_write(socket_, response_,
                      [self = shared_from_this(), stop = reply.stop_daemon](
                          error_code error, std::size_t) { self->written(error, stop); });
  }

  void written(const error_code& error, bool stop_daemon) {
    if (stop_daemon) {
      core_.stop();
    }
    if (error) {
      return close();  // with `undelivered_` still set
    }
    undelivered_.reset();
    keep_alive_ ? read_head() : close();
  }

  // Domains that nobody would know of, or that only this connection was to start.
  void destroy_held() {
    if (undelivered_) {
      held_.insert(*undelivered_);
      undelivered_.reset();
    }
    for (const DomId domain : std::exchange(held_, {})) {
      core_.later(core_.slow, [&toolstack = core_.service.toolstack, domain] {
        // It may have gone by itself, and there is nobody to tell.
        static_cast<void>(toolstack.destroy(domain).has_value());
      });
    }
  }

  ServerCore& core_;
  Socket socket_;
  asio::steady_timer deadline_;
  unsigned turn_ = 0;
  bool late_ = false;  // the deadline ended what was under way
  Registered registered_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  http::response<http::string_body> response_;
  std::stop_source cancel_;
  std::set<DomId> held_;
  std::optional<DomId> undelivered_;
  bool keep_alive_ = false;
  bool working_ = false;  // a lane has the request
  bool gone_ = false;     // the peer, or we, closed
};

}  // namespace

void start_session(ServerCore& core, Socket socket) {
  std::make_shared<Session>(core, std::move(socket))->start();
}

}  // namespace xl::api
