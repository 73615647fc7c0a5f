// SPDX-License-Identifier: Apache-2.0
// Events<P>: delivery by the FIFO ABI. A pending event that is not masked is linked once into the
// queue of its vcpu and priority; the guest takes it from the head.
#pragma once

#include "hypervisor/core/events.hpp"

namespace hyp {

template <typename P>
Result<void> Events<P>::init_control(Vcpu<P>& vcpu, Mfn mfn, std::uint32_t offset) {
  Guard guard(core_.event_lock);
  if (vcpu.fifo.control != nullptr) {
    return fail(Errno::inval);
  }
  Domain<P>& domain = *vcpu.domain;
  vcpu.fifo.control = core_.platform.frame(mfn) + offset;
  vcpu.fifo.control_mfn = mfn;
  if (!domain.fifo.enabled()) {
    domain.fifo.enable();
    // What was pending so far is sent when its event word appears.
    for (std::uint32_t port = 1; port < domain.events.limit(); ++port) {
      Channel& channel = *domain.events.find(port);
      if (channel.state != ChannelState::free &&
          shared_word::test_bit(domain.shared.pending(), port)) {
        channel.pending_later = 1;
      }
    }
  }
  return {};
}

template <typename P>
Result<void> Events<P>::expand_array(Domain<P>& domain, Mfn mfn) {
  Guard guard(core_.event_lock);
  if (!domain.fifo.enabled()) {
    return fail(Errno::opnotsupp);
  }
  const std::uint32_t first = domain.fifo.word_count();
  XL_TRY(domain.fifo.add_page(core_.platform, mfn));
  const std::uint32_t end = domain.fifo.word_count();
  for (std::uint32_t port = first; port < end && port < domain.events.limit(); ++port) {
    Channel& channel = *domain.events.find(port);
    if (channel.pending_later != 0) {
      channel.pending_later = 0;
      set_pending_fifo(domain, port, channel);
    }
  }
  return {};
}

template <typename P>
Result<void> Events<P>::set_priority(Domain<P>& domain, std::uint32_t port,
                                     std::uint32_t priority) {
  Guard guard(core_.event_lock);
  Channel* const channel = domain.events.find_used(port);
  if (channel == nullptr || priority > EVTCHN_FIFO_PRIORITY_MIN) {
    return fail(Errno::inval);
  }
  if (!domain.fifo.enabled()) {
    return fail(Errno::nosys);
  }
  channel->priority = static_cast<std::uint8_t>(priority);
  return {};
}

template <typename P>
void Events<P>::set_pending_fifo(Domain<P>& domain, std::uint32_t port, Channel& channel) {
  event_word_t* const word = domain.fifo.word(port);
  if (word == nullptr) {
    channel.pending_later = 1;
    return;
  }
  shared_word::test_and_set(word, EVTCHN_FIFO_PENDING);
  if (!shared_word::test_bit(word, EVTCHN_FIFO_MASKED)) {
    link_fifo(domain, port, channel);
  }
  wake_pollers(domain, port);
}

template <typename P>
void Events<P>::link_fifo(Domain<P>& domain, std::uint32_t port, Channel& channel) {
  Vcpu<P>& vcpu = *domain.vcpus[channel.vcpu];
  event_word_t* const word = domain.fifo.word(port);
  if (vcpu.fifo.control == nullptr || word == nullptr ||
      shared_word::test_and_set(word, EVTCHN_FIFO_LINKED)) {
    return;
  }
  // It was the tail of another queue: that one is empty now, and must not be continued from here.
  FifoQueues& old = domain.vcpus[channel.queue_vcpu]->fifo;
  const unsigned queue = channel.priority;
  if ((channel.queue_vcpu != channel.vcpu || channel.queue_priority != queue) &&
      old.tail[channel.queue_priority] == port) {
    old.tail[channel.queue_priority] = 0;
  }
  channel.queue_vcpu = channel.vcpu;
  channel.queue_priority = channel.priority;

  __atomic_fetch_and(word, ~Fifo<P>::link_mask, __ATOMIC_SEQ_CST);
  std::uint32_t& tail = vcpu.fifo.tail[queue];
  if (tail == 0 || tail == port || !domain.fifo.link_behind(tail, port)) {
    std::byte* const head = vcpu.fifo.control + offsetof(evtchn_fifo_control_block, head) +
                            queue * sizeof(event_word_t);
    shared_word::store<std::uint32_t>(head, port);
  }
  tail = port;
  if (!shared_word::test_and_set(vcpu.fifo.control, queue)) {
    mark_pending(vcpu);
  }
}
static_assert(offsetof(evtchn_fifo_control_block, ready) == 0);

}  // namespace hyp
