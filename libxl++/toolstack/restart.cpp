// SPDX-License-Identifier: Apache-2.0
// A domain that shut down and is to be there again: a new one of the same name, UUID and config in
// its place, or beside it.
#include <spdlog/spdlog.h>

#include <utility>

#include "libxl++/toolstack/death_policy.hpp"
#include "libxl++/toolstack/domain_nodes.hpp"
#include "libxl++/toolstack/engine.hpp"
#include "libxl++/toolstack/random_uuid.hpp"

namespace xl::toolstack {

// Until then the old one is still there to be destroyed by its user.
void Engine::restart_later(const DomainRef& domain, DomainEnd end,
                           void (Engine::*how)(const DomainRef&, DomainEnd)) {
  const auto ran_for = WorkQueue::Clock::now() - domain->started;
  const auto delay = std::chrono::duration_cast<WorkQueue::Clock::duration>(
      restart_delay(ran_for, options_.restart_interval));
  work_->post([this, domain, end = std::move(end), how] { (this->*how)(domain, end); },
              WorkQueue::Clock::now() + delay);
}

void Engine::restart(const DomainRef& domain, DomainEnd end) {
  std::unique_lock lock(domain->lifecycle);
  if (domain->lines_cut) {
    return;
  }
  domain->phase = RecordPhase::restarting;
  save(*domain);
  if (!dismantle(domain) || !registry_.remove(domain)) {
    return;
  }
  DomainPlan plan = domain->plan;
  std::string name = domain->claim.name();
  domain->claim.expect_domain();  // first, so that there is no moment at which nobody has the name
  domain->claim.unset_domain();
  Registry::Claim claim = std::move(domain->claim);
  lock.unlock();
  succeed(std::move(claim), std::move(plan), domain->record, end);
  const DomId id = end.id;
  emit(LifecycleEvent::Kind::ended, id, std::move(name), std::move(end));
}

void Engine::succeed(Registry::Claim claim, DomainPlan plan, const std::string& record,
                     DomainEnd& end) {
  const std::string name = plan.config.name;
  const auto created =
      create_claimed(std::move(claim), std::move(plan), {false, false, record}, {});
  if (created) {
    end.successor = created->id;
  } else {
    end.report += "restarting failed: " + describe(created.error()) + '\n';
    spdlog::error("domain '{}' could not be restarted: {}", name, describe(created.error()));
  }
}

// As libxl_domain_preserve: the old one gets a name with the time in it and a UUID of its own.
Result<Registry::Claim> Engine::step_aside(const DomainRef& domain) {
  XL_TRY_ASSIGN(const config::Uuid uuid, random_uuid());
  XL_TRY_ASSIGN(Registry::Claim claim,
                domain->claim.split(preserved_suffix(std::chrono::system_clock::now()), uuid));
  domain->plan.config.name = domain->claim.name();
  domain->plan.config.uuid = uuid;
  const auto nodes = preserved_nodes(domain->id, uuid, domain->plan.config.name);
  if (const auto written = domain->session->store().write(nodes); !written) {
    spdlog::error("domain {} keeps its old nodes in the xenstore: {}", domain->id.value(),
                  describe(written.error()));
  }
  emit(LifecycleEvent::Kind::renamed, domain->id, domain->plan.config.name);
  claim.expect_domain();
  return claim;
}

void Engine::restart_renamed(const DomainRef& domain, DomainEnd end) {
  std::unique_lock lock(domain->lifecycle);
  if (domain->lines_cut) {
    return;
  }
  DomainPlan plan = domain->plan;
  // The new one's record first: until the old one's says that it stepped aside, its name is taken,
  // and a daemon that finds both begins again.
  const std::string record = records_->new_key(*plan.config.uuid);
  Record successor;
  successor.phase = RecordPhase::restarting;
  successor.plan = plan;
  if (const auto written = records_->write(record, successor); !written) {
    spdlog::error("{}", describe(written.error()));
  }
  auto claim = step_aside(domain);
  save(*domain);
  lock.unlock();
  std::string name = plan.config.name;
  if (claim) {
    succeed(std::move(claim).value(), std::move(plan), record, end);
  } else {
    records_->remove(record);
    end.report += "restarting failed: " + describe(claim.error()) + '\n';
    spdlog::error("domain '{}' could not be restarted: {}", name, describe(claim.error()));
  }
  const DomId id = end.id;
  emit(LifecycleEvent::Kind::restarted, id, std::move(name), std::move(end));
}

}  // namespace xl::toolstack
