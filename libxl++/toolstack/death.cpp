// SPDX-License-Identifier: Apache-2.0
// What follows when a domain's kernel has come up, when it has shut down by itself, and when the
// hypervisor is gone.
#include <spdlog/spdlog.h>

#include <utility>

#include "base/scope_exit.hpp"
#include "libxl++/console/history.hpp"
#include "libxl++/toolstack/death_policy.hpp"
#include "libxl++/toolstack/engine.hpp"

namespace xl::toolstack {
namespace {

bool has_crashed(hv::ShutdownReason reason) {
  return reason == hv::ShutdownReason::crash || reason == hv::ShutdownReason::watchdog;
}

}  // namespace

void Engine::domain_changed(const SessionRef& session, DomId id) {
  const DomainRef domain = registry_.find(id);
  if (domain == nullptr || domain->session != session) {
    // Being made or destroyed here: who does that sees it.
    if (options_.host && !registry_.contains(id)) {
      work_->post([this, session] { look_around(session); });
    }
    return;
  }
  domain->vcpu_bell.ring();
  EventLoop::drain_console(*domain);
  work_->post([this, domain] { handle_change(domain); });
}

DomainEnd Engine::describe_end(Domain& domain, hv::ShutdownReason reason) {
  DomainEnd end;
  end.id = domain.id;
  end.reason = reason;
  end.last_console_line = domain.last_line;
  if (!has_crashed(reason) && reason != hv::ShutdownReason::reboot) {
    return end;
  }
  if (const auto log = domain.session->hypervisor().read_log(0)) {
    std::string lines = lines_about(domain.id, log->text);
    const bool reset = !has_crashed(reason) && tells_of_triple_fault(lines);
    end.cause = reset ? "triple fault" : "";
    end.report = reset || has_crashed(reason) ? std::move(lines) : "";
  }
  return end;
}

void Engine::handle_change(const DomainRef& domain) {
  const std::lock_guard lock(domain->lifecycle);
  handle_change_locked(domain);
}

void Engine::handle_change_locked(const DomainRef& domain) {
  if (domain->lines_cut) {
    return;
  }
  const auto info = checked(domain->session, domain->session->hypervisor().domain_info(domain->id));
  if (info ? info->dying : info.error().code == ErrorCode::not_found) {
    // Somebody else destroyed it; what we hold of it goes too. Nothing will tell when the last
    // of a dying one has gone, which may wait for us.
    return domain->is_foreign ? let_go(domain) : static_cast<void>(destroy_locked(domain));
  }
  if (info && info->user_mode) {
    end_loan_soon(domain);
  }
  if (!info || !info->shutdown || domain->death_seen) {
    return;
  }
  if (await_console(domain)) {
    return;
  }
  domain->death_seen = true;
  DomainEnd end = describe_end(*domain, *info->shutdown);
  const config::ShutdownAction action =
      action_for(*info->shutdown, domain->plan.config, domain->plan.ignore_death);
  end.action = domain->is_foreign ? "left to its toolstack" : to_string(action);
  spdlog::info("domain {} '{}' has shut down, reason {}{}: {}", domain->id.value(),
               domain->claim.name(), to_string(*info->shutdown),
               end.cause.empty() ? "" : " (" + end.cause + ")", end.action);
  domain->session->store().domain_shut_down(domain->id);
  emit(LifecycleEvent::Kind::shutdown, domain->id, domain->claim.name(), end);
  if (!domain->is_foreign) {
    carry_out(domain, std::move(end), action);
  }
}

// Whether there will be another look: what the domain said last is on its way still.
bool Engine::await_console(const DomainRef& domain) {
  constexpr auto look_again = std::chrono::milliseconds(2);
  constexpr unsigned most_looks = 75;  // rather than a time: on a busy host they take longer too
  if (domain->console_awaited) {
    return true;
  }
  const console::Console::Ending ending = domain->console->ending();
  domain->last_line = console::last_line(ending.text);
  if (ending.complete || domain->is_foreign || ++domain->console_looks > most_looks) {
    return false;
  }
  domain->console_awaited = true;
  work_->post(
      [this, domain] {
        const std::lock_guard lock(domain->lifecycle);
        domain->console_awaited = false;
        handle_change_locked(domain);
      },
      WorkQueue::Clock::now() + look_again);
  return true;
}

void Engine::carry_out(const DomainRef& domain, DomainEnd end, config::ShutdownAction action) {
  using config::ShutdownAction;
  switch (action) {
    case ShutdownAction::preserve: return save(*domain);
    case ShutdownAction::destroy:
      if (dismantle(domain) && registry_.remove(domain)) {
        domain->claim.release();
        emit(LifecycleEvent::Kind::ended, domain->id, domain->claim.name(), std::move(end));
      }
      return;
    case ShutdownAction::restart: return restart_later(domain, std::move(end), &Engine::restart);
    case ShutdownAction::restart_rename:
      return restart_later(domain, std::move(end), &Engine::restart_renamed);
    case ShutdownAction::coredump_destroy:
      return keep_core(domain, std::move(end), ShutdownAction::destroy);
    case ShutdownAction::coredump_restart:
      return keep_core(domain, std::move(end), ShutdownAction::restart);
    case ShutdownAction::soft_reset: return soft_reset(domain, std::move(end));
  }
}

void Engine::lose(const SessionRef& session) {
  if (!sessions_->drop(session)) {
    return;
  }
  spdlog::error("the hypervisor is gone, and all domains with it");
  loop_->stop_serving(session);
  for (const DomainRef& domain : registry_.all()) {
    if (domain->session != session || !registry_.remove(domain)) {
      continue;
    }
    // Without Domain::lifecycle: its holder may be waiting for the hypervisor.
    lines_->lose(domain);
    records_->remove(domain->record);
    DomainEnd end;
    end.id = domain->id;
    end.last_console_line = console::last_line(domain->console->text());
    end.report = "the hypervisor is gone";
    end.action = "lost";
    domain->claim.release();
    emit(LifecycleEvent::Kind::ended, domain->id, domain->claim.name(), std::move(end));
  }
}

}  // namespace xl::toolstack
