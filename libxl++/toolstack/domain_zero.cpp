// SPDX-License-Identifier: Apache-2.0
// Domain 0 where the hypervisor is the host's: a domain whose memory and CPUs are steered as
// others' are. It is not among those of the registry, which can be ended.
#include <utility>

#include "libxl++/toolstack/adoption.hpp"
#include "libxl++/toolstack/engine.hpp"
#include "libxl++/toolstack/memory_nodes.hpp"

namespace xl::toolstack {

Result<Engine::DomainRef> Engine::steered(DomId id) {
  return id == DomId(0) ? zero() : registry_.get(id);
}

// As it is found, like one that another toolstack made.
Result<Engine::DomainRef> Engine::zero() {
  if (!options_.host) {
    return fail(ErrorId::domain_zero,
                "Domain-0 is the host itself, whose memory and CPUs its own kernel manages");
  }
  XL_TRY_ASSIGN(const SessionRef session, sessions_->get());
  const std::lock_guard lock(zero_mutex_);
  if (zero_ != nullptr && zero_->session == session) {
    return zero_;
  }
  if (zero_ != nullptr) {
    zero_->claim.release();
  }
  XL_TRY_ASSIGN(const DomainSummary found, summary_of_zero(session));
  XL_TRY_ASSIGN(Registry::Claim claim, registry_.claim(found.name, config::Uuid()));
  Record record = recovered_entry(session->hypervisor(), session->store(), {{}, found.info}).record;
  record.plan.config.name = found.name;
  zero_ = std::make_shared<Domain>(session, DomId(0), std::move(claim), std::move(record), true);
  return zero_;
}

// Which libxl makes when it looks for them first (libxl__fill_dom0_memory_info).
Result<void> Engine::make_memory_nodes(const Domain& zero) {
  xenstore::NodeStore& store = zero.session->store();
  XL_TRY_ASSIGN(const hv::DomainInfo info,
                checked(zero.session, zero.session->hypervisor().domain_info(zero.id)));
  std::vector<xenstore::NodeSpec> nodes;
  for (const auto& [node, size] :
       {std::pair("target", info.memory), std::pair("static-max", info.max_memory)}) {
    if (const auto there = store.read(memory_path(zero.id, node)); !there) {
      nodes.push_back(memory_node(zero.id, node, to_bytes(size)));
    }
  }
  return nodes.empty() ? Result<void>() : store.write(nodes);
}

}  // namespace xl::toolstack
