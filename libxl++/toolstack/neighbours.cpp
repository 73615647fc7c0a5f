// SPDX-License-Identifier: Apache-2.0
// On a hypervisor that is the host's, other toolstacks make and end domains too. What they made is
// taken in under the name that the xenstore has, without a record, and what it does when it shuts
// down is theirs to act on; what they ended is let go of.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "libxl++/toolstack/adoption.hpp"
#include "libxl++/toolstack/engine.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::toolstack {
namespace {

std::string name_path(DomId id) {
  return xenstore::domain_path(id) + "/name";
}

}  // namespace

void Engine::look_around(const SessionRef& session) {
  if (!options_.host || session == nullptr) {
    return;
  }
  const auto domains = checked(session, session->hypervisor().list_domains());
  if (!domains) {
    return;  // who asks next sees the error
  }
  take_in(session, *domains);
  for (const DomainRef& domain : registry_.all()) {
    const bool is_there = std::ranges::binary_search(
        *domains, domain->id, {}, [](const hv::DomainInfo& info) { return info.id; });
    if (!is_there && domain->session == session) {
      // Whoever has the lock sees it himself.
      if (const std::unique_lock lock(domain->lifecycle, std::try_to_lock); lock.owns_lock()) {
        handle_change_locked(domain);
      }
    }
  }
}

// One that is being made has no name yet; one of ours is known before it gets it.
void Engine::take_in(const SessionRef& session, std::span<const hv::DomainInfo> domains) {
  const std::lock_guard one_at_a_time(taking_in_);
  for (const hv::DomainInfo& info : domains) {
    if (info.dying || registry_.contains(info.id)) {
      continue;
    }
    const auto name = session->store().read(name_path(info.id));
    if (name && !name->empty() && !registry_.contains(info.id)) {
      adopt_running(session, recovered_entry(session->hypervisor(), session->store(), {{}, info}),
                    info, {}, Maker::other);
    }
  }
}

// Of a foreign domain that has gone: whoever ended it has cleaned up.
void Engine::let_go(const DomainRef& domain) {
  cut_lines(domain);
  tell_destroyed(domain);
}

// Another toolstack may give it another name. By a watch, as to read all names whenever one is
// asked for would make each command dearer with the number of domains.
void Engine::watch_name(const DomainRef& domain) {
  if (!options_.host) {
    return;
  }
  loop_->post([this, weak = std::weak_ptr(domain)] {
    const auto look = [this, weak] {
      if (const DomainRef changed = weak.lock(); changed == nullptr || changed->lines_cut) {
        return;  // its removal: nobody need be woken
      }
      work_->post([this, weak] {
        if (const DomainRef changed = weak.lock()) {
          look_at_name(changed);
        }
      });
    };
    if (const DomainRef found = weak.lock()) {
      found->name_watch = found->session->store().watch(name_path(found->id), look);
    }
  });
}

void Engine::look_at_name(const DomainRef& domain) {
  const std::lock_guard lock(domain->lifecycle);
  if (domain->lines_cut) {
    return;
  }
  const auto name = domain->session->store().read(name_path(domain->id));
  if (!name || name->empty() || *name == domain->claim.name()) {
    return;
  }
  if (const auto renamed = domain->claim.rename(*name); !renamed) {
    spdlog::warn("domain {} has been renamed by another toolstack: {}", domain->id.value(),
                 describe(renamed.error()));
    return;
  }
  domain->plan.config.name = *name;
  save(*domain);
  emit(LifecycleEvent::Kind::renamed, domain->id, *name);
}

// Another toolstack may have paused it, or let it run.
Result<void> Engine::look_if_paused(Domain& domain) {
  if (options_.host) {
    XL_TRY_ASSIGN(const hv::DomainInfo info,
                  checked(domain.session, domain.session->hypervisor().domain_info(domain.id)));
    domain.paused = info.paused;
  }
  return {};
}

}  // namespace xl::toolstack
