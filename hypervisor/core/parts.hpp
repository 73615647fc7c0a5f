// SPDX-License-Identifier: Apache-2.0
// Parts<P>: the operations of the core, wired together. Hypercalls and the host's requests are
// written against it.
#pragma once

#include "hypervisor/core/core.hpp"
#include "hypervisor/core/events.hpp"
#include "hypervisor/core/grants.hpp"
#include "hypervisor/core/lifecycle.hpp"
#include "hypervisor/core/memory.hpp"
#include "hypervisor/core/reaper.hpp"

namespace hyp {

template <typename P>
struct Parts {
  constexpr explicit Parts(P& platform)
      : core(platform),
        reaper(core),
        memory(core, reaper),
        events(core),
        grants(core, memory, reaper),
        lifecycle(core, events, grants, reaper) {}

  Core<P> core;
  Reaper<P> reaper;
  Memory<P> memory;
  Events<P> events;
  Grants<P> grants;
  Lifecycle<P> lifecycle;
};

}  // namespace hyp
