// SPDX-License-Identifier: Apache-2.0
// OwnLines: consoles and xenstore served in this process, over the guests' rings.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libxl++/console/ring_console.hpp"
#include "libxl++/toolstack/event_loop.hpp"
#include "libxl++/toolstack/line_service.hpp"
#include "libxl++/toolstack/records.hpp"
#include "libxl++/xenstore/server.hpp"
#include "libxl++/xenstore/socket_server.hpp"

namespace xl::toolstack {

class OwnLines final : public LineService {
 public:
  struct Logs {
    std::string directory;  // empty: none are kept
    std::uint64_t limit = 0;
  };

  // Called under the store's lock.
  using QuotaSink = std::function<void(DomId, const xenstore::LimitHits&)>;

  // The store as it is kept in `directory`; empty: in memory only. `records` and `loop` must
  // outlive this.
  static Result<std::unique_ptr<OwnLines>> open(const std::string& directory, Logs logs,
                                                Records& records, EventLoop& loop,
                                                QuotaSink quota_hit);
  ~OwnLines() override;

  std::shared_ptr<xenstore::NodeStore> store() override { return store_; }
  Result<void> connect(const DomainRef& domain) override;
  Result<void> reconnect(const DomainRef& domain, const std::string& console_log,
                         std::span<const hv::HostBinding> bindings) override;
  void detach(const DomainRef& domain) override;
  void cut(const DomainRef& domain) override;
  void lose(const DomainRef& domain) override;
  std::vector<DomId> unclaimed() override { return store_->unclaimed(); }
  void forget(DomId domain) override;
  Result<void> serve(std::vector<UniqueFd> listeners) override;
  std::optional<xenstore::Statistics> statistics() override { return store_->statistics(); }

 private:
  OwnLines(std::shared_ptr<xenstore::Server> store, Logs logs, Records& records, EventLoop& loop)
      : store_(std::move(store)), logs_(std::move(logs)), records_(records), loop_(loop) {}

  console::RingConsole::Files console_files(const Domain& domain, std::string log) const;
  Result<void> introduce(const DomainRef& domain, hv::GuestMapping page);
  void reconnect_store(const DomainRef& domain, hv::GuestMapping page);
  // Binds domain 0's end, which serves the line from now on.
  static Result<EventPort> bind(const DomainRef& domain, EventPort guest_port, Line line);
  static EventPort rebind(const DomainRef& domain, EventPort guest_port, Line line,
                          std::span<const hv::HostBinding> bindings);

  const std::shared_ptr<xenstore::Server> store_;
  const Logs logs_;
  Records& records_;
  EventLoop& loop_;
  std::unique_ptr<xenstore::SocketServer> sockets_;
};

}  // namespace xl::toolstack
