// SPDX-License-Identifier: Apache-2.0
// Soft reset: a guest that loads another kernel by itself (kexec) keeps memory and vcpus and gets
// everything that is Xen's as after a create: event channels, rings, xenstore nodes.
#include <cstdint>

// The ABI's headers need the types from there.
#include <spdlog/spdlog.h>
#include <xen/hvm/params.h>

#include <algorithm>
#include <array>
#include <utility>

#include "libxl++/toolstack/domain_nodes.hpp"
#include "libxl++/toolstack/engine.hpp"

namespace xl::toolstack {
namespace {

struct GuestEnd {
  EventPort port;
  Gfn frame;
};

// A port for the line, told to the guest where it looks for it.
Result<GuestEnd> offer_line(hv::Hypervisor& hypervisor, DomId id, std::uint32_t port_param,
                            std::uint32_t frame_param) {
  XL_TRY_ASSIGN(const std::uint64_t frame, hypervisor.get_hvm_param(id, frame_param));
  XL_TRY_ASSIGN(const EventPort port, hypervisor.event_alloc_unbound(id, DomId(0)));
  const std::array<hv::HvmParam, 1> params{{{port_param, port.value()}}};
  XL_TRY(hypervisor.set_hvm_params(id, params));
  return GuestEnd{port, Gfn(frame)};
}

}  // namespace

Result<EventPort> Engine::bind_line(const DomainRef& domain, EventPort guest_port, Line line) {
  XL_TRY_ASSIGN(const hv::EventBinding binding,
                domain->session->hypervisor().event_bind(domain->id, guest_port));
  domain->session->add_port(binding.local, {domain, line});
  return binding.local;
}

Result<void> Engine::renew_lines(const DomainRef& domain) {
  hv::Hypervisor& hypervisor = domain->session->hypervisor();
  xenstore::Server& store = domain->session->store();
  const config::DomainConfig& config = domain->plan.config;
  for (const EventPort port : {domain->console_port.load(), domain->store_port.load()}) {
    domain->session->remove_port(port);
    (void)hypervisor.event_close(port);  // the reset has ended what it was bound to in any case
  }
  XL_TRY(hypervisor.soft_reset(domain->id));
  XL_TRY_ASSIGN(const GuestEnd console, offer_line(hypervisor, domain->id, HVM_PARAM_CONSOLE_EVTCHN,
                                                   HVM_PARAM_CONSOLE_PFN));
  XL_TRY_ASSIGN(const GuestEnd ring,
                offer_line(hypervisor, domain->id, HVM_PARAM_STORE_EVTCHN, HVM_PARAM_STORE_PFN));
  XL_TRY_ASSIGN(hv::GuestMapping page, hypervisor.map_frames(domain->id, {ring.frame, Pages(1)}));

  domain->store->end();
  store.release(domain->id);
  store.remove_domain(domain->id, domain_directories(domain->id, *config.uuid));
  std::ranges::fill(page.segments().front().bytes, std::byte{0});
  XL_TRY_ASSIGN(std::unique_ptr<xenstore::Client> client,
                store.introduce(domain->id, [this, weak = std::weak_ptr(domain)] {
                  loop_->wake(weak.lock(), Line::store);
                }));
  domain->store->renew(std::move(page), std::move(client));
  domain->console_line = {console.frame, console.port};
  domain->store_line = {ring.frame, ring.port};
  XL_TRY_ASSIGN(domain->console_port, bind_line(domain, console.port, Line::console));
  XL_TRY_ASSIGN(domain->store_port, bind_line(domain, ring.port, Line::store));
  return store.write(domain_nodes({domain->id, *config.uuid, config, ring.port, ring.frame,
                                   console.port, console.frame, domain->created}));
}

void Engine::soft_reset(const DomainRef& domain, DomainEnd end) {
  auto done = checked(domain->session, renew_lines(domain));
  if (done) {
    done = checked(domain->session, domain->session->hypervisor().resume_domain(domain->id));
  }
  if (!done) {
    spdlog::error("domain {} could not be reset: {}", domain->id.value(), describe(done.error()));
    end.report += "the soft reset failed: " + describe(done.error()) + '\n';
    end.action = to_string(config::ShutdownAction::destroy);
    return carry_out(domain, std::move(end), config::ShutdownAction::destroy);
  }
  domain->death_seen = false;
  save(*domain);
  watch_boot(domain);
  loop_->wake(domain, Line::console);
  loop_->wake(domain, Line::store);
  emit(LifecycleEvent::Kind::resumed, domain->id, domain->claim.name());
}

}  // namespace xl::toolstack
