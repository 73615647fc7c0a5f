// SPDX-License-Identifier: Apache-2.0
// LineService: who serves the domains' two lines to domain 0, the console and the xenstore ring:
// this process (OwnLines), or the host's own daemons (HostLines).
//
// Thread rule: every function from any thread; of one domain, with its Domain::lifecycle held or
// before it is published.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libxl++/toolstack/domain.hpp"
#include "libxl++/xenstore/node_store.hpp"
#include "libxl++/xenstore/statistics.hpp"

namespace xl::toolstack {

class LineService {
 public:
  using DomainRef = std::shared_ptr<Domain>;

  virtual ~LineService() = default;

  // What the nodes are written to. It outlives every session of the hypervisor.
  virtual std::shared_ptr<xenstore::NodeStore> store() = 0;

  // A domain whose console_line and store_line are set and whose nodes are written: it is
  // introduced, and has a console from now on. Again after detach() and a soft reset.
  virtual Result<void> connect(const DomainRef& domain) = 0;
  // One that an earlier daemon had connected. It has a console in any case; an error says that it
  // is one that has ended.
  virtual Result<void> reconnect(const DomainRef& domain, const std::string& console_log,
                                 std::span<const hv::HostBinding> bindings) = 0;
  // Lets go of the event channels, which a soft reset ends.
  virtual void detach(const DomainRef& domain) = 0;
  // Before the domain goes: its pages belong to others afterwards, and its ports may be another's.
  virtual void cut(const DomainRef& domain) = 0;
  // The same where the hypervisor has gone already; also beside a cut of another thread.
  virtual void lose(const DomainRef& domain) = 0;

  // What an earlier daemon had connected, and nobody has reconnected.
  virtual std::vector<DomId> unclaimed() = 0;
  // A domain that is gone and was never connected here: its nodes go.
  virtual void forget(DomId domain) = 0;

  // Serves the xenstore to tools at these sockets, as long as this lives.
  virtual Result<void> serve(std::vector<UniqueFd> listeners) = 0;
  virtual std::optional<xenstore::Statistics> statistics() = 0;  // none: not of this process
};

}  // namespace xl::toolstack
