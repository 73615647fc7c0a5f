// SPDX-License-Identifier: Apache-2.0
// The waist's event channels and grants.
#include <fmt/format.h>

#include <bit>

#include "hypervisor-iface/bundled/parts.hpp"

namespace xl::hv::bundled {
namespace {

constexpr std::size_t selector_words = abi::domain0_ports / 64 / 64;
constexpr int max_change_requests = 64;  // each names up to 2048 domains

Result<EventPort> domain0_port(std::uint64_t port) {
  if (port == 0 || port >= abi::domain0_ports) {
    return fail(ErrorId::hypervisor_bad_answer,
                fmt::format("the hypervisor gave event channel {}", port));
  }
  return EventPort(static_cast<std::uint32_t>(port));
}

// Selector words name the pending words that may have bits; taking a word is one exchange, so
// nothing is lost.
std::vector<EventPort> take_ports(const HostArea& area) {
  std::vector<EventPort> ports;
  for (std::size_t s = 0; s < selector_words; ++s) {
    if (area.selector(s).load(std::memory_order_relaxed) == 0) {
      continue;
    }
    for (std::uint64_t words = area.selector(s).exchange(0); words != 0; words &= words - 1) {
      const std::size_t word = s * 64 + static_cast<std::size_t>(std::countr_zero(words));
      for (std::uint64_t bits = area.pending(word).exchange(0); bits != 0; bits &= bits - 1) {
        const std::size_t port = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
        ports.emplace_back(static_cast<std::uint32_t>(port));
      }
    }
  }
  return ports;
}

}  // namespace

Result<EventPort> BundledHypervisor::event_alloc_unbound(DomId domain, DomId remote) {
  XL_TRY_ASSIGN(const Response response,
                parts_->ask(abi::Op::event_alloc_unbound, domain, {remote.value()}));
  return EventPort(static_cast<std::uint32_t>(response.results[0]));
}

Result<EventBinding> BundledHypervisor::event_bind(DomId domain, EventPort remote_port) {
  XL_TRY_ASSIGN(const Response response,
                parts_->ask(abi::Op::event_bind, domain, {remote_port.value()}));
  XL_TRY_ASSIGN(const EventPort local, domain0_port(response.results[0]));
  return EventBinding{local, remote_port};
}

Result<void> BundledHypervisor::event_close(EventPort local) {
  return parts_->tell(abi::Op::event_close, DomId(0), {local.value()});
}

Result<void> BundledHypervisor::event_notify(EventPort local) {
  return parts_->tell(abi::Op::event_notify, DomId(0), {local.value()});
}

Result<std::vector<HostBinding>> BundledHypervisor::event_bindings() {
  std::vector<HostBinding> all;
  for (std::uint64_t from = 0;;) {
    XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::list_bindings, DomId(0), {from}));
    for (const abi::BindingRecord& record : records<abi::BindingRecord>(response.bulk)) {
      if (record.local < from || record.local >= abi::domain0_ports || record.domain > 0xffff) {
        return fail(ErrorId::hypervisor_bad_answer,
                    "the hypervisor's list of event channels is out of order");
      }
      from = record.local + 1ULL;
      all.push_back({EventPort(record.local), DomId(static_cast<std::uint16_t>(record.domain)),
                     EventPort(record.remote)});
    }
    if (response.results[0] == 0 || response.bulk.empty()) {
      return all;
    }
  }
}

int BundledHypervisor::event_fd() const {
  return parts_->monitor->event_fd();
}

Result<Hypervisor::Pending> BundledHypervisor::take_events() {
  parts_->monitor->take_signal();
  Pending taken;
  taken.ports = take_ports(parts_->area);
  bool more = parts_->area.state_changed().exchange(0) != 0;
  for (int i = 0; more && i < max_change_requests && !parts_->ring->gone(); ++i) {
    const Result<Response> response = parts_->ask(abi::Op::take_state_changes, DomId(0));
    if (!response) {
      // The word was taken: put it back, so that a hypervisor that only hangs is asked again later.
      parts_->area.state_changed().store(1);
      break;
    }
    for (const std::uint32_t id : records<std::uint32_t>(response->bulk)) {
      taken.changed_domains.emplace_back(static_cast<std::uint16_t>(id));
    }
    more = response->results[0] != 0;
  }
  if (parts_->ring->gone()) {
    taken.hypervisor_gone = true;
    parts_->monitor->signal();  // stays so
  }
  return taken;
}

Result<void> BundledHypervisor::grant_seed(DomId domain, std::span<const GrantSeed> seeds) {
  std::vector<abi::GrantSeedRecord> wire;
  for (const GrantSeed& seed : seeds) {
    wire.push_back({seed.ref.value(), seed.peer.value(), seed.frame.value()});
  }
  return parts_->tell(abi::Op::grant_seed, domain, {}, bytes_of(wire));
}

Result<GuestMapping> BundledHypervisor::grant_map(DomId domain, GrantRef ref, bool writable) {
  XL_TRY_ASSIGN(const Response response,
                parts_->ask(abi::Op::grant_map, domain, {ref.value(), writable ? 1ULL : 0ULL}));
  Request unmap;
  unmap.op = abi::Op::grant_unmap;
  unmap.domain = domain;
  unmap.args[0] = response.results[1];
  std::shared_ptr<void> keep(
      nullptr, [ram = parts_->ram, chores = parts_->chores, unmap](void*) { chores->undo(unmap); });
  const std::span<std::byte> frame = parts_->ram->frames(Mfn(response.results[0]), Pages(1));
  if (frame.empty()) {
    return fail(ErrorId::hypervisor_bad_answer, "the hypervisor mapped a grant that is not memory");
  }
  return GuestMapping({{Gfn(0), frame}}, std::move(keep));
}

}  // namespace xl::hv::bundled
