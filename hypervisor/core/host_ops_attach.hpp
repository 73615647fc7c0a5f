// SPDX-License-Identifier: Apache-2.0
// HostOps<P>: a new process is domain 0, and has to learn what the one before it left.
#pragma once

#include "hypervisor/core/host_ops.hpp"

namespace hyp {

template <typename P>
HostResult HostOps<P>::list_bindings(HostRequest& request) {
  const std::uint32_t end = parts_.core.host_events.made();
  for (std::uint64_t port = request.args[0]; port < end; ++port) {
    const auto local = static_cast<std::uint32_t>(port);
    XL_TRY_ASSIGN(const Channel channel, parts_.events.status(nullptr, local));
    if (channel.state == ChannelState::interdomain &&
        !request.put(xl::abi::BindingRecord{local, channel.remote, channel.remote_domain, 0})) {
      request.results[0] = 1;
      break;
    }
  }
  return done();
}

// The frames that the dead process had taken for release stay taken: which of them it has released
// nobody knows, so the new one takes them again (Frames::take_freed) and releases all.
template <typename P>
HostResult HostOps<P>::attach(HostRequest& request) {
  constexpr unsigned per_step = 512;
  enum Step : std::uint64_t { end_mappings, remind_of_ports, remind_of_shutdowns };
  switch (request.step) {
    case end_mappings:
      if (!parts_.grants.end_host_mappings(per_step)) {
        request.step = remind_of_ports;
      }
      return Progress::more;
    case remind_of_ports:
      request.position =
          parts_.events.remind_host(static_cast<std::uint32_t>(request.position), per_step);
      if (request.position == 0) {
        request.step = remind_of_shutdowns;
      }
      return Progress::more;
    default: break;
  }
  for (Domain<P>* domain = parts_.core.domains.at_or_after(0); domain != nullptr;
       domain = parts_.core.domains.at_or_after(domain->id.value() + 1U)) {
    if (domain->shut_down.load()) {
      parts_.core.tell_host_changed(domain->id);
    }
  }
  return done();
}

}  // namespace hyp
