// SPDX-License-Identifier: Apache-2.0
// The waist: event channels and grants.
#include <sys/eventfd.h>

#include "hypervisor-iface/fake/fake_state.hpp"

namespace xl::hv::fake {
namespace {

constexpr std::uint32_t guest_port_limit = 4096;  // 2-level event channels of a 64-bit guest
constexpr std::uint32_t grant_limit = 64 * 512;   // 64 frames of v1 entries

}  // namespace

Result<EventPort> FakeHypervisor::event_alloc_unbound(DomId id, DomId remote) {
  return state_->on_domain(Call::event_alloc_unbound, id, [&](Domain& domain) -> Result<EventPort> {
    if (remote != DomId(0)) {
      XL_TRY(state_->find(remote));
    }
    for (std::uint32_t port = 1; port < guest_port_limit; ++port) {
      if (!domain.ports.contains(EventPort(port))) {
        domain.ports[EventPort(port)].remote = remote;
        return EventPort(port);
      }
    }
    return fail(ErrorCode::limit, "the domain has no free event channel");
  });
}

Result<EventBinding> FakeHypervisor::event_bind(DomId id, EventPort remote_port) {
  return state_->on_domain(Call::event_bind, id, [&](Domain& domain) -> Result<EventBinding> {
    auto found = domain.ports.find(remote_port);
    if (found == domain.ports.end() || found->second.local || found->second.remote != DomId(0)) {
      return fail(ErrorCode::invalid_argument,
                  "port " + std::to_string(remote_port.value()) + " is not open to domain 0");
    }
    XL_TRY_ASSIGN(const EventPort local, state_->free_local_port());
    state_->local_ports[local] = {id, remote_port};
    found->second.local = local;
    // As in Xen: what was sent before the binding is not lost, so the new port starts pending.
    state_->pending.insert(local);
    state_->wake();
    return EventBinding{local, remote_port};
  });
}

Result<void> FakeHypervisor::event_close(EventPort local) {
  return state_->call(Call::event_close, DomId(0), [&]() -> Result<void> {
    auto found = state_->local_ports.find(local);
    if (found == state_->local_ports.end()) {
      return fail(ErrorCode::not_found, "no event channel " + std::to_string(local.value()));
    }
    // The guest's end becomes unbound and may be bound again, as in Xen.
    state_->domains.at(found->second.domain).ports.at(found->second.remote).local.reset();
    state_->drop_local_port(local);
    return {};
  });
}

Result<void> FakeHypervisor::event_notify(EventPort local) {
  return state_->call(Call::event_notify, DomId(0), [&]() -> Result<void> {
    auto found = state_->local_ports.find(local);
    if (found == state_->local_ports.end()) {
      return fail(ErrorCode::not_found, "no event channel " + std::to_string(local.value()));
    }
    state_->domains.at(found->second.domain).ports.at(found->second.remote).pending = true;
    return {};
  });
}

Result<std::vector<HostBinding>> FakeHypervisor::event_bindings() {
  return state_->call(Call::event_bindings, DomId(0), [&]() -> Result<std::vector<HostBinding>> {
    std::vector<HostBinding> all;
    for (const auto& [local, binding] : state_->local_ports) {
      all.push_back({local, binding.domain, binding.remote});
    }
    return all;
  });
}

int FakeHypervisor::event_fd() const {
  return state_->event.get();
}

Result<Hypervisor::Pending> FakeHypervisor::take_events() {
  return state_->call(Call::take_events, DomId(0), [&]() -> Result<Pending> {
    Pending taken;
    taken.hypervisor_gone = state_->dead;
    if (!state_->dead) {  // a dead one stays readable
      eventfd_t ignored = 0;
      (void)::eventfd_read(state_->event.get(), &ignored);
    }
    taken.ports.assign(state_->pending.begin(), state_->pending.end());
    taken.changed_domains.assign(state_->changed.begin(), state_->changed.end());
    state_->pending.clear();
    state_->changed.clear();
    return taken;
  });
}

Result<void> FakeHypervisor::grant_seed(DomId id, std::span<const GrantSeed> seeds) {
  return state_->on_domain(Call::grant_seed, id, [&](Domain& domain) -> Result<void> {
    for (const GrantSeed& seed : seeds) {
      if (seed.ref.value() >= grant_limit) {
        return fail(ErrorCode::invalid_argument,
                    "grant reference " + std::to_string(seed.ref.value()));
      }
    }
    for (const GrantSeed& seed : seeds) {
      domain.grants[seed.ref] = {seed.peer, seed.frame, false};
    }
    return {};
  });
}

Result<GuestMapping> FakeHypervisor::grant_map(DomId id, GrantRef ref, bool writable) {
  return state_->on_domain(Call::grant_map, id, [&](Domain& domain) -> Result<GuestMapping> {
    auto found = domain.grants.find(ref);
    if (found == domain.grants.end()) {
      return fail(ErrorCode::invalid_argument,
                  "grant reference " + std::to_string(ref.value()) + " is not in use");
    }
    if (found->second.peer != DomId(0) || (writable && found->second.read_only)) {
      return fail(ErrorCode::permission_denied,
                  "grant reference " + std::to_string(ref.value()) + " is not for this use");
    }
    auto counts = state_->mappings;
    ++counts->grants;
    std::shared_ptr<void> token(nullptr, [counts](void*) { --counts->grants; });
    return domain.memory.map({found->second.frame, Pages(1)}, std::move(token));
  });
}

}  // namespace xl::hv::fake
