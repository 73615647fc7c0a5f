// SPDX-License-Identifier: Apache-2.0
// Which domains shut down or went. VIRQ_DOM_EXC is xenstored's, which tells by its watch
// @releaseDomain that some domain did; which one shows by comparing with what was known. What this
// process does itself needs neither. A domain that xenstored does not know of, and that shuts down
// by itself, is not noticed. Any thread; take() one at a time.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "base/unique_fd.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "hypervisor-iface/xen/handles.hpp"

namespace xl::hv::xen {

class Changes {
 public:
  static Result<Changes> watch(std::shared_ptr<Handles> handles, int event_channels_fd);

  // Readable when something may have changed, or an event channel fired.
  int fd() const { return epoll_.get(); }

  void created(DomId domain, const DomainHandle& handle);
  void shut_down(DomId domain, const DomainHandle& handle);
  void resumed(DomId domain);
  void destroyed(DomId domain);

  // Set if all domains have to be looked at: list them, and give seen() the moment that this was.
  using Moment = std::uint64_t;
  std::optional<Moment> drain();
  void seen(Moment before_listing, const std::vector<xc_domaininfo_t>& domains);
  // Those that changed since the last call, and, with `gone`, those of them that are no more.
  struct Taken {
    std::vector<DomId> changed;
    std::vector<DomId> gone;
  };
  Taken take();

 private:
  struct Known {
    DomainHandle handle;
    bool down;
    Moment since = 0;  // when this process made it
  };
  struct State {
    std::mutex mutex;
    std::map<DomId, Known> known;
    std::set<DomId> changed;
    std::set<DomId> gone;
    bool looked = false;
    Moment now = 0;  // counts what created() was told
  };

  Changes(std::shared_ptr<Handles> handles, UniqueFd epoll, UniqueFd own)
      : handles_(std::move(handles)),
        epoll_(std::move(epoll)),
        own_(std::move(own)),
        state_(std::make_unique<State>()) {}
  void announce(DomId domain);

  std::shared_ptr<Handles> handles_;
  UniqueFd epoll_;
  UniqueFd own_;  // an eventfd
  std::unique_ptr<State> state_;
};

}  // namespace xl::hv::xen
