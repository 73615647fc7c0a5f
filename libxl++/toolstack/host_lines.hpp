// SPDX-License-Identifier: Apache-2.0
// HostLines: consoles and xenstore of a Xen host, served by its xenstored and xenconsoled
// (docs/adr/0156). Also keeps the files in which libxl looks up a domain's
// configuration, so that the stock toolstack works on what is made here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libxl++/console/host_console.hpp"
#include "libxl++/toolstack/event_loop.hpp"
#include "libxl++/toolstack/libxl_userdata.hpp"
#include "libxl++/toolstack/line_service.hpp"
#include "libxl++/toolstack/toolstack.hpp"
#include "libxl++/xenstore/host_store.hpp"

namespace xl::toolstack {

class HostLines final : public LineService {
 public:
  // `loop` must outlive this. Errors: xenstored cannot be reached.
  static Result<std::unique_ptr<HostLines>> open(const HostServices& host, EventLoop& loop);

  std::shared_ptr<xenstore::NodeStore> store() override { return store_; }
  Result<void> connect(const DomainRef& domain) override;
  Result<void> reconnect(const DomainRef& domain, const std::string& console_log,
                         std::span<const hv::HostBinding> bindings) override;
  // The next connect() has both daemons take the new ports. A domain that runs on is not to be
  // released: oxenstored would keep its ring mapped for good.
  void detach(const DomainRef& /*domain*/) override {}
  void cut(const DomainRef& domain) override;
  void lose(const DomainRef& domain) override { cut(domain); }
  std::vector<DomId> unclaimed() override { return {}; }
  void forget(DomId domain) override;
  Result<void> serve(std::vector<UniqueFd> listeners) override;
  std::optional<xenstore::Statistics> statistics() override { return std::nullopt; }

 private:
  HostLines(const HostServices& host, std::shared_ptr<xenstore::HostStore> store,
            std::unique_ptr<console::PtyPoll> ptys, EventLoop& loop)
      : host_(host),
        userdata_(host.userdata),
        store_(std::move(store)),
        ptys_(std::move(ptys)),
        loop_(loop) {}

  std::unique_ptr<console::Console> make_console(const DomainRef& domain, std::string log);
  std::string log_path(const Domain& domain) const;

  const HostServices host_;
  const LibxlUserdata userdata_;
  const std::shared_ptr<xenstore::HostStore> store_;
  const std::unique_ptr<console::PtyPoll> ptys_;
  EventLoop& loop_;
};

}  // namespace xl::toolstack
