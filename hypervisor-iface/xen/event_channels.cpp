// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/xen/event_channels.hpp"

#include <sys/ioctl.h>
#include <unistd.h>
#include <xen/sys/evtchn.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

namespace xl::hv::xen {
namespace {

Unexpected<Error> no_port(EventPort local) {
  return fail(ErrorCode::not_found,
              "event channel port " + std::to_string(local.value()) + " of domain 0 is not open");
}

}  // namespace

Result<EventBinding> EventChannels::bind(DomId domain, EventPort remote) {
  const Listening listening;
  // The kernel's ports are positive ints.
  const std::lock_guard lock(mutex_);
  const int local = xenevtchn_bind_interdomain(handles_->events(), domain.value(), remote.value());
  if (local < 0) {
    return listening.failure("binding event channel port " + std::to_string(remote.value()) +
                             " of " + name_of(domain));
  }
  const EventPort port(static_cast<std::uint32_t>(local));
  bound_[port] = {domain, remote};
  return EventBinding{port, remote};
}

Result<void> EventChannels::close(EventPort local) {
  const std::lock_guard lock(mutex_);
  if (bound_.erase(local) == 0 || xenevtchn_unbind(handles_->events(), local.value()) != 0) {
    return no_port(local);
  }
  return {};
}

Result<void> EventChannels::notify(EventPort local) const {
  return xenevtchn_notify(handles_->events(), local.value()) == 0 ? Result<void>() : no_port(local);
}

void EventChannels::close_all(DomId domain) {
  const std::lock_guard lock(mutex_);
  for (auto each = bound_.begin(); each != bound_.end();) {
    if (each->second.domain != domain) {
      ++each;
      continue;
    }
    xenevtchn_unbind(handles_->events(), each->first.value());
    each = bound_.erase(each);
  }
}

std::vector<HostBinding> EventChannels::bindings() const {
  const std::lock_guard lock(mutex_);
  std::vector<HostBinding> all;
  for (const auto& [local, remote] : bound_) {
    all.push_back({local, remote.domain, remote.port});
  }
  return all;
}

// The kernel's buffer ran over, which closing ports that have not been taken can lead to: any port
// may have fired.
Result<std::vector<EventPort>> EventChannels::take_all() {
  if (::ioctl(fd(), IOCTL_EVTCHN_RESET, 0) != 0) {
    return Unexpected(system_error(errno, "resetting Xen's event channels"));
  }
  const std::lock_guard lock(mutex_);
  std::vector<EventPort> all;
  for (const auto& [local, remote] : bound_) {
    xenevtchn_unmask(handles_->events(), local.value());
    all.push_back(local);
  }
  return all;
}

// The kernel masks a port when it hands it out, and takes it back in the same form.
Result<std::vector<EventPort>> EventChannels::take() {
  std::vector<EventPort> fired;
  std::array<evtchn_port_t, 256> ports{};
  for (;;) {
    const ssize_t size = ::read(fd(), ports.data(), sizeof ports);
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0 && errno == EFBIG) {
      return take_all();
    }
    if (size < 0 && errno != EAGAIN) {
      return Unexpected(system_error(errno, "reading Xen's event channels"));
    }
    if (size <= 0) {
      break;
    }
    (void)!::write(fd(), ports.data(),
                   static_cast<std::size_t>(size));  // closed ones do not matter
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < static_cast<std::size_t>(size) / sizeof ports[0]; ++i) {
      if (bound_.count(EventPort(ports[i])) != 0) {
        fired.emplace_back(ports[i]);
      }
    }
  }
  std::sort(fired.begin(), fired.end());
  fired.erase(std::unique(fired.begin(), fired.end()), fired.end());
  return fired;
}

}  // namespace xl::hv::xen
