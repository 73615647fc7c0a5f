// SPDX-License-Identifier: Apache-2.0
// FifoQueues: one vcpu's control block and where the tails of its queues are
// (public/event_channel.h, FIFO ABI).
#pragma once

#include <array>
#include <cstdint>

#include "hypervisor/core/platform.hpp"

namespace hyp {

struct FifoQueues {
  std::byte* control = nullptr;  // evtchn_fifo_control_block, in a page of the guest that must stay
  Mfn control_mfn{};
  std::array<std::uint32_t, EVTCHN_FIFO_MAX_QUEUES> tail{};  // 0: the queue is empty
};

}  // namespace hyp
