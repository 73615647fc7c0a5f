// SPDX-License-Identifier: Apache-2.0
// A console in both directions, raw.
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <span>
#include <utility>

#include "libxl++/api/stream.hpp"

namespace xl::api {
namespace {

using boost::system::error_code;
using toolstack::Subscription;
using toolstack::Toolstack;

class ConsoleStream final : public Stream {
 public:
  ConsoleStream(ServerCore& core, Socket socket, std::string early, std::string domain)
      : Stream(core, std::move(socket)), early_(std::move(early)), domain_(std::move(domain)) {}

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
    ++core_.service.console_streams;
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
      if (cancelled || over()) {
        close();
      } else {
        received(std::move(left));
      }
    });
  }

  asio::steady_timer retry_{core_.loop};
  std::string early_;
  std::string domain_;
  DomId id_;
};

}  // namespace

void start_console(ServerCore& core, Socket socket, std::string early, std::string domain) {
  std::make_shared<ConsoleStream>(core, std::move(socket), std::move(early), std::move(domain))
      ->start();
}

}  // namespace xl::api
