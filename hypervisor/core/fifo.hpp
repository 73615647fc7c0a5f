// SPDX-License-Identifier: Apache-2.0
// Fifo<P>: the FIFO event channel ABI's state of one domain. The caller holds the event lock.
#pragma once

#include "hypervisor/core/platform.hpp"

namespace hyp {

template <typename P>
class Fifo {
 public:
  bool pins(Mfn) const { return false; }
  template <typename Free>
  void clear(P&, Free&&) {}
};

}  // namespace hyp
