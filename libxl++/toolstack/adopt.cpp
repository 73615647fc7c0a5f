// SPDX-License-Identifier: Apache-2.0
// What a daemon before this one left: domains that run on, and what it was in the middle of when it
// was killed. Records and hypervisor are compared; whatever the one has and the other has not is
// finished or removed.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "libxl++/toolstack/adoption.hpp"
#include "libxl++/toolstack/domain_nodes.hpp"
#include "libxl++/toolstack/engine.hpp"
#include "libxl++/toolstack/memory_nodes.hpp"

namespace xl::toolstack {
namespace {

// As `xl mem-set` left it.
void restore_memory_target(Domain& domain) {
  domain.memory_target = domain.plan.config.memory.count();
  if (const auto target = read_memory(domain.session->store(), domain.id, "target")) {
    domain.memory_target = target->count();
  }
}

}  // namespace

Result<void> Engine::adopt(const SessionRef& session) {
  Records::Contents contents;
  if (!std::exchange(has_adopted_, true)) {
    contents = records_->load();
  }
  XL_TRY_ASSIGN(std::vector<hv::DomainInfo> domains, session->hypervisor().list_domains());
  std::vector<hv::HostBinding> bindings;
  if (!domains.empty()) {
    XL_TRY_ASSIGN(bindings, session->hypervisor().event_bindings());
  }
  Adoption plan = plan_adoption(std::move(contents), std::move(domains));
  if (!options_.host) {
    std::ranges::move(plan.unrecorded, std::back_inserter(plan.destroy));
    plan.unrecorded.clear();
  }
  for (const hv::DomainInfo& info : plan.destroy) {
    spdlog::warn("domain {} was half made or half gone when an xld was killed, and is removed",
                 info.id.value());
    remove_left(session, info.id);
  }
  for (Adoption::Pair& pair : plan.adopt) {
    adopt_running(session, std::move(pair.entry), pair.info, bindings, Maker::us);
  }
  for (const Adoption::Unknown& unknown : plan.recover) {
    Records::Entry entry = recovered_entry(session->hypervisor(), session->store(), unknown);
    spdlog::warn("domain {} has no record that could be read, and is kept as '{}'",
                 unknown.info.id.value(), entry.record.plan.config.name);
    adopt_running(session, std::move(entry), unknown.info, bindings, Maker::us);
  }
  take_in(session, plan.unrecorded);
  for (const DomId id : lines_->unclaimed()) {
    lines_->forget(id);
  }
  for (const std::string& key : plan.forget) {
    records_->remove(key);
  }
  for (Records::Entry& entry : plan.restart) {
    restart_left(std::move(entry));
  }
  return {};
}

void Engine::adopt_running(const SessionRef& session, Records::Entry entry,
                           const hv::DomainInfo& info, std::span<const hv::HostBinding> bindings,
                           Maker maker) {
  const config::DomainConfig& config = entry.record.plan.config;
  auto claim = registry_.claim(config.name, *config.uuid);
  if (!claim) {
    spdlog::error("domain {} is left alone: {}", info.id.value(), describe(claim.error()));
    return;
  }
  const std::string console_log = entry.record.console_log;
  auto domain = std::make_shared<Domain>(session, info.id, std::move(claim).value(),
                                         std::move(entry.record), maker == Maker::other);
  domain->record = std::move(entry.key);
  domain->claim.set_domain(info.id);
  domain->handle = info.handle;
  const std::lock_guard lock(domain->lifecycle);
  if (auto connected = lines_->reconnect(domain, console_log, bindings); !connected) {
    spdlog::error("domain {} has neither console nor xenstore: {}", info.id.value(),
                  describe(connected.error()));
    domain->lines_cut = true;
  }
  restore_memory_target(*domain);
  registry_.publish(domain);
  watch_boot(domain);
  watch_name(domain);
  if (info.paused && !domain->paused) {
    if (const auto unpaused = unpause_wholly(*domain); !unpaused) {
      spdlog::error("domain {} stays paused: {}", info.id.value(), describe(unpaused.error()));
      domain->paused = true;
    }
  }
  domain->paused = domain->paused && info.paused;
  save(*domain);
  if (domain->has_loan) {
    borrowers_.add(domain);
    if (info.user_mode) {
      end_loan_soon(domain);
    }
  }
  emit(LifecycleEvent::Kind::adopted, info.id, domain->claim.name());
  if (info.shutdown && !domain->death_seen) {
    loop_->post([this, session, id = info.id] { domain_changed(session, id); });
  }
}

void Engine::remove_left(const SessionRef& session, DomId id) {
  const auto destroyed = session->hypervisor().destroy_domain(id);
  if (!destroyed && destroyed.error().code != ErrorCode::not_found) {
    spdlog::error("domain {} could not be destroyed: {}", id.value(), describe(destroyed.error()));
  }
  lines_->forget(id);
}

// The old one is gone, the new one was not finished. Its name is still taken if the daemon was
// killed before a rename-restart's old one had stepped aside: that one's end is acted on again.
void Engine::restart_left(Records::Entry entry) {
  DomainPlan& plan = entry.record.plan;
  auto claim = registry_.claim(plan.config.name, *plan.config.uuid);
  if (!claim) {
    records_->remove(entry.key);
    return;
  }
  spdlog::info("domain '{}' was being restarted when an xld was killed", plan.config.name);
  claim->expect_domain();
  // Shared, as a task can be copied.
  auto held = std::make_shared<Registry::Claim>(std::move(claim).value());
  work_->post([this, held, left = std::move(entry)] {
    const std::string name = left.record.plan.config.name;
    const auto created =
        create_claimed(std::move(*held), left.record.plan, {false, false, left.key}, {});
    if (!created) {
      spdlog::error("domain '{}' could not be restarted: {}", name, describe(created.error()));
    }
  });
}

void Engine::forget_left() {
  has_adopted_ = true;
  for (const Records::Entry& entry : records_->load().entries) {
    spdlog::warn("domain '{}' is gone with its hypervisor", entry.record.plan.config.name);
    records_->remove(entry.key);
  }
  for (const DomId id : lines_->unclaimed()) {
    lines_->forget(id);
  }
}

bool Engine::idle() {
  const SessionRef session = sessions_->current();
  if (!registry_.names().empty() || session == nullptr) {
    return registry_.names().empty();
  }
  const auto domains = session->hypervisor().list_domains();
  return !domains || domains->empty();
}

}  // namespace xl::toolstack
