// SPDX-License-Identifier: Apache-2.0
// Connections that have become streams: a console in both directions, and the lifecycle events.
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "libxl++/api/outbox.hpp"
#include "libxl++/api/server_core.hpp"
#include "libxl++/api/views.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

using boost::system::error_code;
using toolstack::Subscription;
using toolstack::Toolstack;

// Keeps itself alive while an operation is under way. The outbox is shared with the subscription's
// callback, which may come from any thread until the subscription has gone.
class StreamBase : public Connection, public std::enable_shared_from_this<StreamBase> {
 public:
  StreamBase(ServerCore& core, Socket socket)
      : core_(core), socket_(std::move(socket)), registered_(core, this) {}
  ~StreamBase() override { drop(); }

  void start() {
    outbox_ = std::make_shared<Outbox>(core_.limits.stream_backlog,
                                       [&loop = core_.loop, weak = weak_from_this()] {
                                         asio::post(loop, [weak] {
                                           if (const auto self = weak.lock()) {
                                             self->flush();
                                           }
                                         });
                                       });
    asio::post(core_.quick, [self = shared_from_this()]() mutable {
      auto subscribed = std::make_shared<Answer<std::unique_ptr<Subscription>>>(self->subscribe());
      asio::io_context& loop = self->core_.loop;
      asio::post(loop, [self = std::move(self), subscribed] { self->open(*subscribed); });
    });
  }

  void close() override {
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
    drop();
  }

 protected:
  virtual Answer<std::unique_ptr<Subscription>> subscribe() = 0;  // on a lane
  virtual std::string head() const = 0;
  virtual std::string encode(Outbox::Taken taken) = 0;
  // Called with what the client sent; calls read() again when it wants more.
  virtual void received(std::string bytes) = 0;

  void read() {
    socket_.async_read_some(asio::buffer(input_),
                            [self = shared_from_this()](const error_code& error, std::size_t size) {
                              if (error) {
                                self->await_end();
                              } else {
                                self->received(std::string(self->input_.data(), size));
                              }
                            });
  }

  bool closed() const { return closed_; }

  ServerCore& core_;
  std::shared_ptr<Outbox> outbox_;

 private:
  void open(Answer<std::unique_ptr<Subscription>>& subscribed) {
    if (!subscribed) {
      const Reply reply = error_reply(subscribed.error());
      writing_ = "HTTP/1.1 " + std::to_string(reply.status) +
                 " Refused\r\nConnection: close\r\nContent-Type: application/json\r\n"
                 "Content-Length: " +
                 std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
      ended_ = true;
    } else {
      subscription_ = std::move(subscribed).value();
      writing_ = head();
    }
    if (closed_) {
      return drop();
    }
    write();
    read();
  }

  // The client sends no more. That it does not listen any more either is another matter.
  void await_end() {
    if (closed_ || hung_up(socket_)) {
      return close();
    }
    socket_.async_wait(Socket::wait_error, [self = shared_from_this()](const error_code& error) {
      error ? self->close() : self->await_end();
    });
  }

  void flush() {
    if (!writing_.empty() || closed_ || !subscription_) {
      return;  // when that is done, what has come meanwhile follows
    }
    Outbox::Taken taken = outbox_->take();
    ended_ = taken.ended;
    writing_ = encode(std::move(taken));
    if (!writing_.empty()) {
      write();
    } else if (ended_) {
      close();
    }
  }

  void write() {
    asio::async_write(socket_, asio::buffer(writing_),
                      [self = shared_from_this()](const error_code& error, std::size_t) {
                        self->writing_.clear();
                        if (error || self->ended_) {
                          self->close();
                        } else {
                          self->flush();
                        }
                      });
  }

  // The subscription's end may wait for a callback that runs: not on the loop.
  void drop() {
    if (subscription_) {
      core_.later(core_.quick, [old = std::shared_ptr<Subscription>(
                                    std::move(subscription_))]() mutable { old.reset(); });
    }
  }

  Socket socket_;
  Registered registered_;
  std::unique_ptr<Subscription> subscription_;
  std::string writing_;
  std::array<char, 4096> input_;
  bool ended_ = false;
  bool closed_ = false;
};

class ConsoleStream final : public StreamBase {
 public:
  ConsoleStream(ServerCore& core, Socket socket, std::string early, std::string domain)
      : StreamBase(core, std::move(socket)), early_(std::move(early)), domain_(std::move(domain)) {}

 private:
  Answer<std::unique_ptr<Subscription>> subscribe() override {
    Toolstack& toolstack = core_.service.toolstack;
    XL_TRY_ASSIGN(id_, toolstack.find(domain_));
    auto sink = [outbox = outbox_](std::span<const std::byte> bytes) {
      if (bytes.empty()) {
        outbox->end();
      } else {
        outbox->put({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      }
    };
    XL_TRY_ASSIGN(std::unique_ptr<Subscription> subscription,
                  toolstack.attach_console(id_, std::move(sink)));
    if (!early_.empty()) {
      XL_TRY(toolstack.write_console(id_, std::as_bytes(std::span(early_))));
    }
    return subscription;
  }

  std::string head() const override {
    return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: xl-console\r\n\r\n";
  }

  std::string encode(Outbox::Taken taken) override {
    if (taken.lost > 0) {
      taken.bytes += "\r\n[" + std::to_string(taken.lost) + " bytes skipped: read faster]\r\n";
    }
    return std::move(taken.bytes);
  }

  void received(std::string bytes) override {
    asio::post(core_.quick, [this, self = shared_from_this(), input = std::move(bytes)]() mutable {
      const Result<void> written =
          core_.service.toolstack.write_console(id_, std::as_bytes(std::span(input)));
      // Input for a domain that has just ended goes nowhere; the stream's end tells the client.
      const bool full = !written && written.error().code == ErrorCode::busy;
      asio::io_context& loop = core_.loop;
      asio::post(loop, [this, self = std::move(self), full, left = std::move(input)]() mutable {
        full ? offer_later(std::move(left)) : read();
      });
    });
  }

  // The guest has not read what it was given before. It does not say when it does.
  void offer_later(std::string input) {
    retry_.expires_after(std::chrono::milliseconds(10));
    retry_.async_wait([this, self = shared_from_this(),
                       left = std::move(input)](const error_code& cancelled) mutable {
      if (!cancelled && !closed()) {
        received(std::move(left));
      }
    });
  }

  asio::steady_timer retry_{core_.loop};
  std::string early_;
  std::string domain_;
  DomId id_;
};

class EventStream final : public StreamBase {
 public:
  using StreamBase::StreamBase;

 private:
  Answer<std::unique_ptr<Subscription>> subscribe() override {
    return core_.service.toolstack.subscribe(
        [outbox = outbox_](const toolstack::LifecycleEvent& event) {
          outbox->put(dump(to_json(event_view(event))) + "\n");
        });
  }

  std::string head() const override {
    return "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
           "Transfer-Encoding: chunked\r\n\r\n";
  }

  std::string encode(Outbox::Taken taken) override {
    if (taken.lost > 0) {
      close();  // a list of events with a hole in it would be a lie
    }
    if (taken.bytes.empty()) {
      return {};
    }
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", taken.bytes.size());
    return size + taken.bytes + "\r\n";
  }

  void received(std::string) override { read(); }
};

}  // namespace

void start_console(ServerCore& core, Socket socket, std::string early, std::string domain) {
  std::make_shared<ConsoleStream>(core, std::move(socket), std::move(early), std::move(domain))
      ->start();
}

void start_events(ServerCore& core, Socket socket) {
  std::make_shared<EventStream>(core, std::move(socket))->start();
}

}  // namespace xl::api
