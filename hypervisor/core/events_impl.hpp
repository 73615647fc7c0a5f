// SPDX-License-Identifier: Apache-2.0
// Definitions of Events<P>.
#pragma once

#include "hypervisor/core/events.hpp"

namespace hyp {

template <typename P>
std::uint32_t Events<P>::port_limit(const Domain<P>& domain) const {
  const std::uint32_t abi = domain.narrow.load() ? 32 * 32 : 64 * 64;
  return abi < max_guest_ports ? abi : max_guest_ports;
}

template <typename P>
Result<std::uint32_t> Events<P>::take_port(DomainPtr domain) {
  if (domain != nullptr && domain->dying.load()) {
    return fail(Errno::srch);
  }
  const std::uint32_t end = domain == nullptr ? xl::abi::domain0_ports : port_limit(*domain);
  return table(domain).take_free(end, [&] { return core_.alloc_bytes(domain); });
}

template <typename P>
Result<std::uint32_t> Events<P>::alloc_unbound(DomainPtr domain, DomId remote) {
  Guard guard(core_.event_lock);
  XL_TRY_ASSIGN(const std::uint32_t port, take_port(domain));
  Channel& channel = *table(domain).find(port);
  channel.state = ChannelState::unbound;
  channel.remote_domain = remote.value();
  return port;
}

template <typename P>
Result<std::uint32_t> Events<P>::bind_interdomain(DomainPtr domain, DomainPtr remote,
                                                  std::uint32_t remote_port) {
  Guard guard(core_.event_lock);
  const Channel* const offered = table(remote).find_used(remote_port);
  if (offered == nullptr || offered->state != ChannelState::unbound ||
      offered->remote_domain != id_of(domain).value() ||
      (remote != nullptr && remote->dying.load())) {
    return fail(Errno::inval);
  }
  XL_TRY_ASSIGN(const std::uint32_t port, take_port(domain));
  Channel& local = *table(domain).find(port);
  Channel& other = *table(remote).find(remote_port);
  local.state = other.state = ChannelState::interdomain;
  local.remote_domain = id_of(remote).value();
  local.remote = remote_port;
  other.remote_domain = id_of(domain).value();
  other.remote = port;
  set_pending(domain, port, local);
  return port;
}

template <typename P>
Result<std::uint32_t> Events<P>::bind_virq(Domain<P>& domain, std::uint32_t virq,
                                           std::uint32_t vcpu) {
  if (virq >= NR_VIRQS) {
    return fail(Errno::inval);
  }
  // Per vcpu are the timer, the debug and the two profiling ones; the others belong to vcpu 0.
  const bool per_vcpu =
      virq == VIRQ_TIMER || virq == VIRQ_DEBUG || virq == VIRQ_XENOPROF || virq == VIRQ_XENPMU;
  if (!per_vcpu && vcpu != 0) {
    return fail(Errno::inval);
  }
  if (vcpu >= domain.vcpu_count) {
    return fail(Errno::noent);
  }
  Guard guard(core_.event_lock);
  Vcpu<P>& target = *domain.vcpus[vcpu];
  if (target.virq_port[virq] != 0) {
    return fail(Errno::exist);
  }
  XL_TRY_ASSIGN(const std::uint32_t port, take_port(&domain));
  Channel& channel = *domain.events.find(port);
  channel.state = ChannelState::virq;
  channel.vcpu = static_cast<std::uint16_t>(vcpu);
  channel.remote = virq;
  target.virq_port[virq] = port;
  return port;
}

template <typename P>
Result<std::uint32_t> Events<P>::bind_ipi(Domain<P>& domain, std::uint32_t vcpu) {
  if (vcpu >= domain.vcpu_count) {
    return fail(Errno::noent);
  }
  Guard guard(core_.event_lock);
  XL_TRY_ASSIGN(const std::uint32_t port, take_port(&domain));
  Channel& channel = *domain.events.find(port);
  channel.state = ChannelState::ipi;
  channel.vcpu = static_cast<std::uint16_t>(vcpu);
  return port;
}

template <typename P>
Result<std::uint32_t> Events<P>::bind_pirq(Domain<P>& domain, std::uint32_t pirq) {
  if (pirq >= max_guest_pirqs) {
    return fail(Errno::inval);
  }
  Guard guard(core_.event_lock);
  const std::uint32_t made = domain.events.made();
  for (std::uint32_t port = 1; port < made; ++port) {
    const Channel* const other = domain.events.find_used(port);
    if (other != nullptr && other->state == ChannelState::pirq && other->remote == pirq) {
      return fail(Errno::exist);
    }
  }
  XL_TRY_ASSIGN(const std::uint32_t port, take_port(&domain));
  Channel& channel = *domain.events.find(port);
  channel.state = ChannelState::pirq;
  channel.remote = pirq;
  return port;
}

template <typename P>
Result<void> Events<P>::close_locked(DomainPtr domain, std::uint32_t port) {
  Channel* const channel = table(domain).find_used(port);
  if (channel == nullptr) {
    return fail(Errno::inval);
  }
  if (channel->state == ChannelState::virq) {
    domain->vcpus[channel->vcpu]->virq_port[channel->remote] = 0;
  } else if (channel->state == ChannelState::interdomain) {
    const DomainPtr remote = find(channel->remote_domain);
    Channel& other = *table(remote).find(channel->remote);
    other.state = ChannelState::unbound;
    other.remote_domain = id_of(domain).value();
    other.remote = 0;
  }
  table(domain).release(port);
  if (domain != nullptr && domain->fifo.enabled()) {
    domain->fifo.clear_pending(port);
  } else if (domain != nullptr) {
    shared_word::test_and_clear(domain->shared.pending(), port);
  } else {
    shared_word::test_and_clear(core_.platform.host_area() + xl::abi::pending_offset, port);
  }
  return {};
}

template <typename P>
Result<void> Events<P>::close(DomainPtr domain, std::uint32_t port) {
  Guard guard(core_.event_lock);
  return close_locked(domain, port);
}

// The port with, if the other end is domain 0's, that one: nobody is there to use it.
template <typename P>
void Events<P>::close_end(Domain<P>& domain, std::uint32_t port, bool host_end_too) {
  const Channel channel = *domain.events.find(port);
  (void)close_locked(&domain, port).has_value();
  if ((host_end_too || domain.dying.load()) && channel.state == ChannelState::interdomain &&
      channel.remote_domain == 0) {
    (void)close_locked(nullptr, channel.remote).has_value();
  }
}

template <typename P>
std::uint32_t Events<P>::close_some(Domain<P>& domain, std::uint32_t from, std::uint32_t count,
                                    bool host_ends_too) {
  Guard guard(core_.event_lock);
  const std::uint32_t end = domain.events.limit();
  for (std::uint32_t port = from; port < end; ++port, --count) {
    if (count == 0) {
      return port;
    }
    if (domain.events.find_used(port) != nullptr) {
      close_end(domain, port, host_ends_too);
    }
  }
  return 0;
}

template <typename P>
void Events<P>::reset(Domain<P>& domain) {
  constexpr std::uint32_t ports_per_hold = 128;
  std::uint32_t from = 0;
  do {
    from = close_some(domain, from, ports_per_hold);
  } while (from != 0);
  Guard guard(core_.event_lock);
  domain.fifo = Fifo<P>();
  for (unsigned i = 0; i < domain.vcpu_count; ++i) {
    domain.vcpus[i]->fifo = FifoQueues();
  }
}

template <typename P>
void Events<P>::renew(Domain<P>& domain) {
  Guard guard(core_.event_lock);
  domain.fifo = Fifo<P>();
  std::memset(core_.platform.frame(domain.shared_mfn), 0, xl::page_size);
  domain.callback_vector.store(0);
  for (unsigned id = 0; id < domain.vcpu_count; ++id) {
    Vcpu<P>& vcpu = *domain.vcpus[id];
    vcpu.fifo = FifoQueues();
    vcpu.info = id < legacy_vcpus ? domain.shared.vcpu(id) : VcpuInfoView();
    vcpu.info_mfn = Mfn();
    vcpu.info_registered = false;
    vcpu.upcall_vector.store(0);
  }
}

template <typename P>
Result<void> Events<P>::check_port(Domain<P>& domain, std::uint32_t port) {
  Guard guard(core_.event_lock);
  if (domain.events.find(port) == nullptr) {
    return fail(Errno::inval);
  }
  return {};
}

template <typename P>
void Events<P>::release_host_ports(DomId gone) {
  Guard guard(core_.event_lock);
  for (std::uint32_t port = 1; port < core_.host_events.limit(); ++port) {
    const Channel& channel = *core_.host_events.find(port);
    if (channel.state == ChannelState::unbound && channel.remote_domain == gone.value()) {
      (void)close_locked(nullptr, port).has_value();
    }
  }
}

template <typename P>
Result<void> Events<P>::send(DomainPtr domain, std::uint32_t port) {
  Guard guard(core_.event_lock);
  Channel* const channel = table(domain).find_used(port);
  if (channel == nullptr) {
    return fail(Errno::inval);
  }
  switch (channel->state) {
    case ChannelState::interdomain: {
      const DomainPtr remote = find(channel->remote_domain);
      if (domain != nullptr) {
        ++domain->events_sent;
      }
      set_pending(remote, channel->remote, *table(remote).find(channel->remote));
      return {};
    }
    case ChannelState::ipi: set_pending(domain, port, *channel); return {};
    case ChannelState::unbound: return {};  // nobody listens: dropped, as in Xen
    default: return fail(Errno::inval);
  }
}

template <typename P>
Result<Channel> Events<P>::status(DomainPtr domain, std::uint32_t port) {
  Guard guard(core_.event_lock);
  const Channel* const channel = table(domain).find(port);
  if (port >= table(domain).made()) {
    return fail(Errno::inval);
  }
  return channel == nullptr ? Channel{} : *channel;
}

template <typename P>
Result<void> Events<P>::bind_vcpu(Domain<P>& domain, std::uint32_t port, std::uint32_t vcpu) {
  if (vcpu >= domain.vcpu_count) {
    return fail(Errno::noent);
  }
  Guard guard(core_.event_lock);
  Channel* const channel = domain.events.find_used(port);
  if (channel == nullptr) {
    return fail(Errno::inval);
  }
  const bool movable = channel->state == ChannelState::unbound ||
                       channel->state == ChannelState::interdomain ||
                       channel->state == ChannelState::pirq ||
                       (channel->state == ChannelState::virq && channel->remote != VIRQ_TIMER &&
                        channel->remote != VIRQ_DEBUG && channel->remote != VIRQ_XENOPROF &&
                        channel->remote != VIRQ_XENPMU);
  if (!movable) {
    return fail(Errno::inval);
  }
  channel->vcpu = static_cast<std::uint16_t>(vcpu);
  return {};
}

// --- delivery ---

template <typename P>
void Events<P>::mark_pending(Vcpu<P>& vcpu) {
  if (!vcpu.info || vcpu.info.raise_upcall()) {
    return;  // it knows already, or has no place to be told
  }
  if (vcpu.upcall_vector != 0) {
    core_.platform.assert_vector(vcpu, vcpu.upcall_vector);
  }
  core_.wake(vcpu);
}

template <typename P>
void Events<P>::move_info(Vcpu<P>& vcpu, std::byte* at) {
  Guard guard(core_.event_lock);
  if (vcpu.info) {
    std::memcpy(at, vcpu.info.data(), vcpu_info_size);
  } else {
    std::memset(at, 0, vcpu_info_size);
  }
  vcpu.info = VcpuInfoView(at);
  vcpu.info.select_all(vcpu.domain->narrow.load());
  mark_pending(vcpu);
}

template <typename P>
void Events<P>::wake_pollers(Domain<P>& domain, std::uint32_t port) {
  if (domain.pollers.load() == 0) {
    return;
  }
  for (unsigned i = 0; i < domain.vcpu_count; ++i) {
    Vcpu<P>& vcpu = *domain.vcpus[i];
    std::uint32_t waits = vcpu.poll_port.load();
    if (waits != 0 && (waits == port || waits == ~0U) &&
        vcpu.poll_port.compare_exchange_strong(waits, 0)) {
      domain.pollers.fetch_sub(1);
      core_.wake(vcpu);
    }
  }
}

template <typename P>
void Events<P>::set_pending_2level(Domain<P>& domain, std::uint32_t port, Vcpu<P>& vcpu) {
  const bool narrow = domain.narrow.load();
  if (shared_word::test_and_set(domain.shared.pending(), port)) {
    return;
  }
  if (!shared_word::test_bit(domain.shared.mask(narrow), port) &&
      (!vcpu.info || !vcpu.info.select(port / (narrow ? 32 : 64), narrow))) {
    mark_pending(vcpu);
  }
  wake_pollers(domain, port);
}

template <typename P>
void Events<P>::set_pending_host(std::uint32_t port) {
  std::byte* const area = core_.platform.host_area();
  if (!shared_word::test_and_set(area + xl::abi::pending_offset, port)) {
    const std::uint32_t word = port / 64;
    shared_word::test_and_set(area + xl::abi::selector_offset, word);
    core_.ring_host(xl::abi::sleeping_for_events);
  }
}

template <typename P>
void Events<P>::set_pending(DomainPtr domain, std::uint32_t port, Channel& channel) {
  if (domain == nullptr) {
    set_pending_host(port);
    return;
  }
  ++domain->events_received;
  if (domain->fifo.enabled()) {
    set_pending_fifo(*domain, port, channel);
  } else {
    set_pending_2level(*domain, port, *domain->vcpus[channel.vcpu]);
  }
}

template <typename P>
void Events<P>::raise_virq(Vcpu<P>& vcpu, std::uint32_t virq) {
  Guard guard(core_.event_lock);
  const std::uint32_t port = vcpu.virq_port[virq];
  if (port != 0) {
    set_pending(vcpu.domain, port, *vcpu.domain->events.find(port));
  }
}

template <typename P>
Result<void> Events<P>::unmask(Domain<P>& domain, std::uint32_t port) {
  Guard guard(core_.event_lock);
  Channel* const channel = domain.events.find_used(port);
  if (channel == nullptr) {
    return fail(Errno::inval);
  }
  if (domain.fifo.enabled()) {
    if (domain.fifo.unmask(port)) {
      link_fifo(domain, port, *channel);
    }
    return {};
  }
  const bool narrow = domain.narrow.load();
  Vcpu<P>& vcpu = *domain.vcpus[channel->vcpu];
  if (shared_word::test_and_clear(domain.shared.mask(narrow), port) &&
      shared_word::test_bit(domain.shared.pending(), port) &&
      (!vcpu.info || !vcpu.info.select(port / (narrow ? 32 : 64), narrow))) {
    mark_pending(vcpu);
  }
  return {};
}

template <typename P>
bool Events<P>::is_pending(Domain<P>& domain, std::uint32_t port) {
  Guard guard(core_.event_lock);
  return domain.fifo.enabled() ? domain.fifo.is_pending(port)
                               : shared_word::test_bit(domain.shared.pending(), port);
}

}  // namespace hyp
