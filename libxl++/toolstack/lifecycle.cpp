// SPDX-License-Identifier: Apache-2.0
// Ending, pausing and renaming domains.
#include <spdlog/spdlog.h>

#include <utility>

#include "libxl++/console/history.hpp"
#include "libxl++/toolstack/domain_nodes.hpp"
#include "libxl++/toolstack/engine.hpp"

namespace xl::toolstack {
namespace {

// A destroy may have come before us, or may have failed half-way.
Result<void> check_alive(const Domain& domain) {
  if (domain.lines_cut) {
    return fail(ErrorId::domain_busy,
                "domain " + std::to_string(domain.id.value()) + " is being destroyed");
  }
  return {};
}

}  // namespace

void Engine::cut_lines(const DomainRef& domain) {
  if (!domain->lines_cut.exchange(true)) {
    lines_->cut(domain);
  }
}

Result<void> Engine::dismantle(const DomainRef& domain) {
  if (domain->phase == RecordPhase::running) {
    domain->phase = RecordPhase::dying;
    save(*domain);
  }
  cut_lines(domain);
  {
    const std::lock_guard readers(domain->memory_use);
    domain->memory_gone = true;
  }
  const auto directories = domain_directories(domain->id, *domain->plan.config.uuid);
  domain->session->store().remove_domain(domain->id, directories);
  auto destroyed =
      checked(domain->session, domain->session->hypervisor().destroy_domain(domain->id));
  if (!destroyed && destroyed.error().code != ErrorCode::not_found) {
    spdlog::error("domain {} could not be destroyed: {}", domain->id.value(),
                  describe(destroyed.error()));
    return destroyed;
  }
  if (domain->phase != RecordPhase::restarting && !domain->is_foreign) {
    records_->remove(domain->record);
  }
  return {};
}

void Engine::discard(const DomainRef& domain) {
  (void)dismantle(domain);  // logged there; the error to report is the one that led here
  domain->claim.release();
}

Result<void> Engine::destroy_locked(const DomainRef& domain) {
  XL_TRY(dismantle(domain));
  tell_destroyed(domain);
  return {};
}

void Engine::tell_destroyed(const DomainRef& domain) {
  if (!registry_.remove(domain)) {
    return;
  }
  DomainEnd end;
  end.id = domain->id;
  end.last_console_line =
      domain->last_line.empty() ? console::last_line(domain->console->text()) : domain->last_line;
  end.action = "destroy";
  domain->claim.release();
  emit(LifecycleEvent::Kind::ended, domain->id, domain->claim.name(), std::move(end));
}

Result<void> Engine::destroy(DomId id) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  const std::lock_guard lock(domain->lifecycle);
  // Another destroy may have been faster.
  XL_TRY_ASSIGN(const DomainRef still_there, registry_.get(id));
  auto destroyed = destroy_locked(still_there);
  if (!destroyed) {
    return Unexpected(std::move(destroyed).error().while_doing("destroying domain " +
                                                               std::to_string(id.value())));
  }
  return destroyed;
}

// The hypervisor counts pauses, and a daemon that was killed or another toolstack may have left
// some of its own.
Result<void> Engine::unpause_wholly(const Domain& domain) {
  constexpr int most_pauses = 16;
  hv::Hypervisor& hypervisor = domain.session->hypervisor();
  XL_TRY(hypervisor.unpause(domain.id));
  for (int i = 0; i < most_pauses; ++i) {
    XL_TRY_ASSIGN(const hv::DomainInfo info, hypervisor.domain_info(domain.id));
    if (!info.paused) {
      break;
    }
    XL_TRY(hypervisor.unpause(domain.id));
  }
  return {};
}

// Pausing twice is pausing once: the hypervisor counts, its users do not.
Result<void> Engine::pause(DomId id) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  const std::lock_guard lock(domain->lifecycle);
  XL_TRY(check_alive(*domain));
  XL_TRY(look_if_paused(*domain));
  if (!domain->paused) {
    XL_TRY(checked(domain->session, domain->session->hypervisor().pause(id)));
    domain->paused = true;
    save(*domain);
    emit(LifecycleEvent::Kind::paused, id, domain->claim.name());
  }
  return {};
}

Result<void> Engine::unpause(DomId id) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  const std::lock_guard lock(domain->lifecycle);
  XL_TRY(check_alive(*domain));
  XL_TRY(look_if_paused(*domain));
  if (domain->paused) {
    // The record first: one that is held stays from here on.
    const RecordPhase before = std::exchange(domain->phase, RecordPhase::running);
    domain->paused = false;
    save(*domain);
    if (auto unpaused = checked(domain->session, unpause_wholly(*domain)); !unpaused) {
      domain->phase = before;
      domain->paused = true;
      save(*domain);
      return unpaused;
    }
    emit(LifecycleEvent::Kind::unpaused, id, domain->claim.name());
  }
  return {};
}

Result<void> Engine::rename(DomId id, std::string_view new_name) {
  XL_TRY(config::check_domain_name(new_name));
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  const std::lock_guard lock(domain->lifecycle);
  XL_TRY(check_alive(*domain));
  XL_TRY(domain->claim.rename(new_name));
  domain->plan.config.name = new_name;
  save(*domain);
  const auto nodes = name_nodes(id, domain->claim.uuid(), domain->plan.config.name);
  XL_TRY(domain->session->store().write(nodes));
  emit(LifecycleEvent::Kind::renamed, id, domain->plan.config.name);
  return {};
}

}  // namespace xl::toolstack
