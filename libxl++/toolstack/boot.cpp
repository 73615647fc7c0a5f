// SPDX-License-Identifier: Apache-2.0
// When a guest's kernel has come up: docs/adr/0105.
#include <utility>

#include "libxl++/toolstack/engine.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::toolstack {
namespace {

// Empty until the guest's driver writes it.
std::string boot_path(DomId id) {
  return xenstore::domain_path(id) + "/control/feature-poweroff";
}

}  // namespace

void Engine::watch_boot(const DomainRef& domain) {
  loop_->post([this, weak = std::weak_ptr(domain)] {
    const DomainRef found = weak.lock();
    if (found == nullptr) {
      return;
    }
    found->booted = false;
    const auto look = [this, weak] {
      if (const DomainRef changed = weak.lock(); changed == nullptr || changed->lines_cut) {
        return;  // its removal: nobody need be woken
      }
      loop_->post([this, weak] {
        if (const DomainRef changed = weak.lock()) {
          look_if_booted(changed);
        }
      });
    };
    // An earlier daemon has told already.
    if (found->is_adopted) {
      const auto value = found->session->store().read(boot_path(found->id));
      found->booted = value && !value->empty();
    }
    if (!found->booted) {
      found->boot_watch = found->session->store().watch(boot_path(found->id), look);
    }
  });
}

void Engine::look_if_booted(const DomainRef& domain) {
  if (domain->boot_watch == nullptr || domain->lines_cut) {
    return;
  }
  domain->boot_watch->drain();
  const auto value = domain->session->store().read(boot_path(domain->id));
  if (value && !value->empty()) {
    domain->booted = true;
    domain->boot_watch.reset();
    emit(LifecycleEvent::Kind::booted, domain->id, domain->claim.name());
  }
}

}  // namespace xl::toolstack
