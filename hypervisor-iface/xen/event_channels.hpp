// SPDX-License-Identifier: Apache-2.0
// The event channels of domain 0 that this process holds, by its descriptor of the kernel's evtchn
// device. They go with it: a process that comes after finds none. Any thread; take() one at a time.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "hypervisor-iface/hypervisor.hpp"
#include "hypervisor-iface/xen/handles.hpp"

namespace xl::hv::xen {

class EventChannels {
 public:
  explicit EventChannels(std::shared_ptr<Handles> handles) : handles_(std::move(handles)) {}

  int fd() const { return xenevtchn_fd(handles_->events()); }
  Result<EventBinding> bind(DomId domain, EventPort remote);
  Result<void> close(EventPort local);
  Result<void> notify(EventPort local) const;
  // Closes all that are bound to the domain.
  void close_all(DomId domain);
  std::vector<HostBinding> bindings() const;
  // Those that fired since the last call.
  Result<std::vector<EventPort>> take();

 private:
  struct Remote {
    DomId domain;
    EventPort port;
  };
  Result<std::vector<EventPort>> take_all();

  std::shared_ptr<Handles> handles_;
  mutable std::mutex mutex_;
  std::map<EventPort, Remote> bound_;
};

}  // namespace xl::hv::xen
