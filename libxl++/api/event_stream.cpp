// SPDX-License-Identifier: Apache-2.0
// The lifecycle events as lines of JSON in a chunked body without end.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "libxl++/api/stream.hpp"
#include "libxl++/api/views.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {
namespace {

using toolstack::Subscription;

class EventStream final : public Stream {
 public:
  EventStream(ServerCore& core, Socket socket, std::optional<std::uint64_t> after)
      : Stream(core, std::move(socket)), after_(after) {}

 private:
  Answer<std::unique_ptr<Subscription>> subscribe() override {
    auto subscription = core_.service.toolstack.subscribe(
        [outbox = outbox_](const toolstack::LifecycleEvent& event) {
          outbox->put(dump(to_json(event_view(event))) + "\n");
        },
        after_);
    ++core_.service.event_streams;
    return subscription;
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

  std::string farewell() const override { return "0\r\n\r\n"; }
  void received(std::string) override { read(); }

  const std::optional<std::uint64_t> after_;
};

}  // namespace

void start_events(ServerCore& core, Socket socket, std::optional<std::uint64_t> after) {
  std::make_shared<EventStream>(core, std::move(socket), after)->start();
}

}  // namespace xl::api
