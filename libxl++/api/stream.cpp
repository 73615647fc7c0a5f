// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/stream.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace xl::api {

using boost::system::error_code;
using toolstack::Subscription;

Stream::Stream(ServerCore& core, Socket socket)
    : core_(core), socket_(std::move(socket)), registered_(core, this) {}

void Stream::start() {
  auto wake = [&loop = core_.loop, weak = weak_from_this()] {
    asio::post(loop, [weak] {
      if (const auto self = weak.lock()) {
        self->flush();
      }
    });
  };
  outbox_ = std::make_shared<Outbox>(core_.limits.stream_backlog, std::move(wake));
  asio::post(core_.quick, [self = shared_from_this()]() mutable {
    auto subscribed = std::make_shared<Answer<std::unique_ptr<Subscription>>>(self->subscribe());
    asio::io_context& loop = self->core_.loop;
    asio::post(loop, [self = std::move(self), subscribed] { self->open(*subscribed); });
  });
}

void Stream::close() {
  closed_ = true;
  error_code ignored;
  socket_.close(ignored);
  drop();
}

// Without waiting: a peer that does not take it sees an end without a farewell.
void Stream::leave() {
  if (!closed_ && subscription_ && writing_.empty()) {
    const std::string last = encode(outbox_->take()) + farewell();
    error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.write_some(asio::buffer(last), ignored);
  }
  close();
}

void Stream::open(Answer<std::unique_ptr<Subscription>>& subscribed) {
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

void Stream::read() {
  socket_.async_read_some(asio::buffer(input_),
                          [self = shared_from_this()](const error_code& error, std::size_t size) {
                            if (error) {
                              self->await_end();
                            } else {
                              self->received(std::string(self->input_.data(), size));
                            }
                          });
}

// The client sends no more. That it does not listen any more either is another matter.
void Stream::await_end() {
  if (over()) {
    return close();
  }
  socket_.async_wait(Socket::wait_error, [self = shared_from_this()](const error_code& error) {
    error ? self->close() : self->await_end();
  });
}

void Stream::flush() {
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

void Stream::write() {
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
void Stream::drop() {
  if (subscription_) {
    core_.later(
        core_.quick,
        [old = std::shared_ptr<Subscription>(std::move(subscription_))]() mutable { old.reset(); });
  }
}

}  // namespace xl::api
