// SPDX-License-Identifier: Apache-2.0
// Definitions of Events<P>: a new process is domain 0.
#pragma once

#include "hypervisor/core/events.hpp"

namespace hyp {

// Both words in any case: the process before may have died after it took the selector's and before
// it took the pending one, or after it took both and before it served the port.
template <typename P>
std::uint32_t Events<P>::remind_host(std::uint32_t from, std::uint32_t count) {
  std::byte* const area = core_.platform.host_area();
  Guard guard(core_.event_lock);
  const std::uint32_t end = core_.host_events.limit();
  for (std::uint32_t port = from; port < end; ++port, --count) {
    if (count == 0) {
      return port;
    }
    if (core_.host_events.find(port)->state == ChannelState::interdomain) {
      shared_word::test_and_set(area + xl::abi::pending_offset, port);
      shared_word::test_and_set(area + xl::abi::selector_offset, port / 64);
    }
  }
  core_.ring_host(xl::abi::sleeping_for_events);
  return 0;
}

}  // namespace hyp
