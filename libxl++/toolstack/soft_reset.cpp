// SPDX-License-Identifier: Apache-2.0
// Soft reset: a guest that loads another kernel by itself (kexec) keeps memory and vcpus and gets
// everything that is Xen's as after a create: event channels, rings, xenstore nodes.
#include <cstdint>

// The ABI's headers need the types from there.
#include <spdlog/spdlog.h>
#include <xen/hvm/params.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "libxl++/toolstack/domain_nodes.hpp"
#include "libxl++/toolstack/engine.hpp"

namespace xl::toolstack {
namespace {

// A port for the line, told to the guest where it looks for it.
Result<GuestLine> offer_line(hv::Hypervisor& hypervisor, DomId id, std::uint32_t port_param,
                             std::uint32_t frame_param) {
  XL_TRY_ASSIGN(const std::uint64_t frame, hypervisor.get_hvm_param(id, frame_param));
  XL_TRY_ASSIGN(const EventPort port, hypervisor.event_alloc_unbound(id, DomId(0)));
  const std::array<hv::HvmParam, 1> params{{{port_param, port.value()}}};
  XL_TRY(hypervisor.set_hvm_params(id, params));
  return GuestLine{Gfn(frame), port};
}

}  // namespace

Result<void> Engine::renew_lines(const DomainRef& domain) {
  hv::Hypervisor& hypervisor = domain->session->hypervisor();
  lines_->detach(domain);
  XL_TRY(hypervisor.soft_reset(domain->id));
  // In the builder's order, so that they are the same ports again: a host's xenconsoled that looks
  // at the old nodes meanwhile takes the console's.
  XL_TRY_ASSIGN(domain->store_line,
                offer_line(hypervisor, domain->id, HVM_PARAM_STORE_EVTCHN, HVM_PARAM_STORE_PFN));
  XL_TRY_ASSIGN(domain->console_line, offer_line(hypervisor, domain->id, HVM_PARAM_CONSOLE_EVTCHN,
                                                 HVM_PARAM_CONSOLE_PFN));
  XL_TRY_ASSIGN(const hv::GuestMapping page,
                hypervisor.map_frames(domain->id, {domain->store_line.frame, Pages(1)}));
  std::ranges::fill(page.segments().front().bytes, std::byte{0});
  xenstore::NodeStore& store = domain->session->store();
  XL_TRY_ASSIGN(const std::vector<std::string> directories,
                directories_to_renew(store, domain->id, *domain->plan.config.uuid));
  store.remove_domain(domain->id, directories);
  XL_TRY(store.write(renewed_nodes_of(*domain)));
  return lines_->connect(domain);
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
  domain->console_looks = 0;
  domain->last_line.clear();
  save(*domain);
  watch_boot(domain);
  loop_->wake(domain, Line::console);
  loop_->wake(domain, Line::store);
  emit(LifecycleEvent::Kind::resumed, domain->id, domain->claim.name());
}

}  // namespace xl::toolstack
