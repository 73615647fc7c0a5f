// SPDX-License-Identifier: Apache-2.0
// Events<P>: event channels between domains, domain 0 included, and their delivery. Domain 0 is the
// null Domain: its pending bits lie in the host area, its doorbell is the platform's. Every
// function takes the event lock itself, for a bounded step. Semantics and error numbers: Xen's
// public/event_channel.h.
#pragma once

#include "hypervisor/core/core.hpp"

namespace hyp {

inline constexpr std::uint32_t max_guest_ports =
    1024;  // libxl's default for event_channels, 1023, and port 0
// A PC's 24 lines and Xen's 32 for devices: what a domain without any device may name.
inline constexpr std::uint32_t max_guest_pirqs = 56;
inline constexpr DomId domain0{};

template <typename P>
class Events {
 public:
  using DomainPtr = Domain<P>*;  // null: domain 0

  explicit constexpr Events(Core<P>& core) : core_(core) {}

  // A new port in `domain` that `remote` may bind.
  Result<std::uint32_t> alloc_unbound(DomainPtr domain, DomId remote);
  // Binds to an unbound port of `remote` (null: domain 0) that waits for `domain`. The new port is
  // made pending once, as something may have been sent before.
  Result<std::uint32_t> bind_interdomain(DomainPtr domain, DomainPtr remote,
                                         std::uint32_t remote_port);
  Result<std::uint32_t> bind_virq(Domain<P>& domain, std::uint32_t virq, std::uint32_t vcpu);
  Result<std::uint32_t> bind_ipi(Domain<P>& domain, std::uint32_t vcpu);
  // A port for a physical interrupt, which never comes: there is no device.
  Result<std::uint32_t> bind_pirq(Domain<P>& domain, std::uint32_t pirq);
  Result<void> close(DomainPtr domain, std::uint32_t port);
  Result<void> send(DomainPtr domain, std::uint32_t port);
  Result<Channel> status(DomainPtr domain, std::uint32_t port);
  Result<void> bind_vcpu(Domain<P>& domain, std::uint32_t port, std::uint32_t vcpu);
  Result<void> unmask(Domain<P>& domain, std::uint32_t port);
  void raise_virq(Vcpu<P>& vcpu, std::uint32_t virq);
  // The FIFO ABI: a vcpu's control block (the first one switches the domain over), pages of event
  // words, priorities.
  Result<void> init_control(Vcpu<P>& vcpu, Mfn mfn, std::uint32_t offset);
  Result<void> expand_array(Domain<P>& domain, Mfn mfn);
  Result<void> set_priority(Domain<P>& domain, std::uint32_t port, std::uint32_t priority);

  // Closes all of the domain's ports (EVTCHNOP_reset).
  void reset(Domain<P>& domain);
  // Closes up to `count` ports from `from` on; returns the port to go on with, 0 when all are
  // closed.
  // `host_ends_too`: domain 0's ends of them as well.
  std::uint32_t close_some(Domain<P>& domain, std::uint32_t from, std::uint32_t count,
                           bool host_ends_too = false);
  // Delivery as after create: 2-level, vcpu_info in an empty shared_info, no vectors. The domain's
  // ports are closed and no vcpu runs; with its memory_lock held.
  void renew(Domain<P>& domain);

  // Moves the vcpu's vcpu_info to `at`, and makes everything look pending once, so that nothing is
  // lost.
  void move_info(Vcpu<P>& vcpu, std::byte* at);
  // Makes up to `count` of domain 0's bound ports pending, from `from` on; returns the port to go
  // on with, 0 at the end.
  std::uint32_t remind_host(std::uint32_t from, std::uint32_t count);
  // Frees what ports domain 0 has left towards a domain that goes.
  void release_host_ports(DomId gone);

  // An upcall is due at the vcpu: sets evtchn_upcall_pending, asserts its vector, wakes it.
  void mark_pending(Vcpu<P>& vcpu);
  bool is_pending(Domain<P>& domain, std::uint32_t port);
  Result<void> check_port(Domain<P>& domain, std::uint32_t port);  // inval: no port of the domain
  std::uint32_t port_limit(const Domain<P>& domain) const;

 private:
  EventTable<P>& table(DomainPtr domain) {
    return domain == nullptr ? core_.host_events : domain->events;
  }
  DomId id_of(DomainPtr domain) const { return domain == nullptr ? domain0 : domain->id; }
  DomainPtr find(std::uint16_t id) const {
    return id == 0 ? nullptr : core_.domains.find(DomId(id));
  }

  // All below: with the event lock held.
  Result<std::uint32_t> take_port(DomainPtr domain);
  void set_pending(DomainPtr domain, std::uint32_t port, Channel& channel);
  void set_pending_host(std::uint32_t port);
  void set_pending_2level(Domain<P>& domain, std::uint32_t port, Vcpu<P>& vcpu);
  void set_pending_fifo(Domain<P>& domain, std::uint32_t port, Channel& channel);
  void link_fifo(Domain<P>& domain, std::uint32_t port, Channel& channel);
  void wake_pollers(Domain<P>& domain, std::uint32_t port);
  void close_end(Domain<P>& domain, std::uint32_t port, bool host_end_too);
  Result<void> close_locked(DomainPtr domain, std::uint32_t port);

  Core<P>& core_;
};

}  // namespace hyp

#include "hypervisor/core/events_fifo.hpp"
#include "hypervisor/core/events_host.hpp"
#include "hypervisor/core/events_impl.hpp"
