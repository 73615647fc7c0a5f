// SPDX-License-Identifier: Apache-2.0
// Ending, pausing and renaming domains.
#include <spdlog/spdlog.h>

#include <utility>

#include "libxl++/toolstack/domain_nodes.hpp"
#include "libxl++/toolstack/engine.hpp"

namespace xl::toolstack {
namespace {

// A destroy may have come before us, or may have failed half-way.
Result<void> check_alive(const Domain& domain) {
  if (domain.lines_cut) {
    return fail(ErrorCode::busy,
                "domain " + std::to_string(domain.id.value()) + " is being destroyed");
  }
  return {};
}

}  // namespace

// Before the domain goes: its pages belong to others afterwards, and its ports may be another's.
void Engine::cut_lines(const DomainRef& domain) {
  if (std::exchange(domain->lines_cut, true)) {
    return;
  }
  Session& session = *domain->session;
  if (domain->console_port != EventPort()) {
    session.remove_port(domain->console_port);
  }
  if (domain->store_port != EventPort()) {
    session.remove_port(domain->store_port);
  }
  if (domain->console != nullptr) {
    domain->console->end();
    loop_->wake(domain, Line::console);
  }
  if (domain->store != nullptr) {
    session.store().release(domain->id);
    domain->store->end();
  }
}

Result<void> Engine::dismantle(const DomainRef& domain) {
  cut_lines(domain);
  const auto directories = domain_directories(domain->id, *domain->plan.config.uuid);
  domain->session->store().remove_domain(domain->id, directories);
  auto destroyed =
      checked(domain->session, domain->session->hypervisor().destroy_domain(domain->id));
  if (!destroyed && destroyed.error().code != ErrorCode::not_found) {
    spdlog::error("domain {} could not be destroyed: {}", domain->id.value(),
                  describe(destroyed.error()));
    return destroyed;
  }
  return {};
}

void Engine::discard(const DomainRef& domain) {
  (void)dismantle(domain);  // logged there; the error to report is the one that led here
  domain->claim.release();
}

Result<void> Engine::destroy_locked(const DomainRef& domain) {
  XL_TRY(dismantle(domain));
  if (registry_.remove(domain)) {
    DomainEnd end;
    end.id = domain->id;
    end.last_console_line = console::last_line(domain->console->text());
    end.action = "destroy";
    domain->claim.release();
    emit(LifecycleEvent::Kind::ended, domain->id, domain->claim.name(), std::move(end));
  }
  return {};
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

// Pausing twice is pausing once: the hypervisor counts, its users do not.
Result<void> Engine::pause(DomId id) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  const std::lock_guard lock(domain->lifecycle);
  XL_TRY(check_alive(*domain));
  if (!domain->paused) {
    XL_TRY(checked(domain->session, domain->session->hypervisor().pause(id)));
    domain->paused = true;
    emit(LifecycleEvent::Kind::paused, id, domain->claim.name());
  }
  return {};
}

Result<void> Engine::unpause(DomId id) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  const std::lock_guard lock(domain->lifecycle);
  XL_TRY(check_alive(*domain));
  if (domain->paused) {
    XL_TRY(checked(domain->session, domain->session->hypervisor().unpause(id)));
    domain->paused = false;
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
  const auto nodes = name_nodes(id, domain->claim.uuid(), domain->plan.config.name);
  XL_TRY(domain->session->store().write(nodes));
  emit(LifecycleEvent::Kind::renamed, id, domain->plan.config.name);
  return {};
}

}  // namespace xl::toolstack
