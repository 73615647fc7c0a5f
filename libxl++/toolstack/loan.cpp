// SPDX-License-Identifier: Apache-2.0
// Memory that a domain has on loan while its kernel comes up: docs/adr/0115. Linux gives back what
// maxmem has beyond memory before it starts its init; so it is asked for that a moment later only.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "libdomainbuilder/image/note_reader.hpp"
#include "libxl++/toolstack/engine.hpp"
#include "libxl++/toolstack/memory_size.hpp"

namespace xl::toolstack {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto look_again = std::chrono::milliseconds(10);
constexpr auto standstill = std::chrono::seconds(3);  // from then on nobody gives back any more
constexpr auto longest_wait = std::chrono::seconds(10);

// Of others nobody knows that they have a balloon driver.
bool is_linux(const build::ImageReport& report) {
  const build::Note* const system = build::find_note(report.notes, build::NoteType::guest_os);
  return report.container == build::Container::bzimage ||
         (system != nullptr && system->text == "linux");
}

bool gives_back(const Domain& domain) {
  const auto info = domain.session->hypervisor().domain_info(domain.id);
  return info && !info->shutdown &&
         info->memory + info->on_demand > to_pages_up(Bytes(domain.memory_target)) + target_slack;
}

}  // namespace

// Only where the host has it: a domain without a loan boots as well, but slower.
Result<void> Engine::lend_memory(const DomainRef& domain, const build::Prepared& prepared) {
  const config::DomainConfig& config = domain->plan.config;
  if (config.max_memory <= config.memory) {
    return {};
  }
  // A hypervisor of the host's does not tell when a loan is over.
  if (options_.host) {
    return domain->session->hypervisor().set_max_memory(domain->id,
                                                        to_pages_up(config.memory) + slack());
  }
  if (!is_linux(prepared.image->report())) {
    return {};
  }
  const Result<void> lent = domain->session->hypervisor().set_memory_target(
      domain->id, to_pages_up(config.max_memory) + target_slack, hv::Excess::keep);
  if (!lent) {
    return lent.error().code == ErrorCode::no_memory ? Result<void>() : lent;
  }
  XL_TRY(tell_target(domain, config.max_memory));
  domain->has_loan = true;
  borrowers_.add(domain);
  return {};
}

// A guest that has no balloon driver, or none yet, has not heard of the loan.
Result<void> Engine::end_loan(const DomainRef& domain) {
  if (!domain->has_loan || domain->lines_cut) {
    return {};
  }
  hv::Hypervisor& hypervisor = domain->session->hypervisor();
  XL_TRY_ASSIGN(const hv::DomainInfo info, hypervisor.domain_info(domain->id));
  XL_TRY_ASSIGN(const MemoryState state, memory_state(domain->id));
  const hv::Excess excess =
      state.has_driver && !info.shutdown ? hv::Excess::keep : hv::Excess::withdraw;
  const Bytes target = domain->plan.config.memory;
  XL_TRY(hypervisor.set_memory_target(domain->id, to_pages_up(target) + target_slack, excess));
  XL_TRY(tell_target(domain, target));
  domain->has_loan = false;
  save(*domain);
  emit(LifecycleEvent::Kind::memory, domain->id, domain->claim.name(), {},
       {{"target_kib", target.count() >> 10}});
  return {};
}

void Engine::end_loan_or_log(const DomainRef& domain) {
  if (const auto ended = checked(domain->session, end_loan(domain)); !ended) {
    spdlog::error("domain {} keeps more memory than it is to have: {}", domain->id.value(),
                  describe(ended.error()));
  }
}

// Giving back takes the guest's own CPU: what starts first in it need not wait for that.
void Engine::end_loan_soon(const DomainRef& domain) {
  if (!domain->has_loan || std::exchange(domain->loan_is_ending, true)) {
    return;
  }
  work_->post(
      [this, weak = std::weak_ptr(domain)] {
        if (const DomainRef found = weak.lock()) {
          const std::lock_guard lock(found->lifecycle);
          end_loan_or_log(found);
        }
      },
      WorkQueue::Clock::now() +
          std::chrono::duration_cast<WorkQueue::Clock::duration>(options_.loan_grace));
}

void Engine::make_room(const SessionRef& session, Pages wanted, const std::stop_token& cancel) {
  std::vector<DomainRef> borrowers = borrowers_.all();
  if (borrowers.empty()) {
    return;
  }
  const auto free = [&] {
    const auto host = session->hypervisor().host_info();
    return host ? host->free_memory : wanted;  // who asked will see the error
  };
  Pages most = free();
  if (most >= wanted) {
    return;
  }
  for (const DomainRef& domain : borrowers) {
    if (domain->has_loan) {
      const std::lock_guard lock(domain->lifecycle);
      end_loan_or_log(domain);
    }
  }
  const Clock::time_point end = Clock::now() + longest_wait;
  for (Clock::time_point moved = Clock::now(); !cancel.stop_requested();) {
    const Pages now = free();
    const Clock::time_point time = Clock::now();
    if (now > most) {
      most = now;
      moved = time;
    }
    std::erase_if(borrowers, [](const DomainRef& domain) { return !gives_back(*domain); });
    if (now >= wanted || borrowers.empty() || time > end || time > moved + standstill) {
      return;
    }
    std::this_thread::sleep_for(look_again);
  }
}

void Engine::Borrowers::add(const DomainRef& domain) {
  const std::lock_guard lock(mutex_);
  std::erase_if(domains_, [](const std::weak_ptr<Domain>& other) { return other.expired(); });
  domains_.push_back(domain);
}

std::vector<Engine::DomainRef> Engine::Borrowers::all() {
  std::vector<DomainRef> found;
  {
    const std::lock_guard lock(mutex_);
    for (const std::weak_ptr<Domain>& domain : domains_) {
      if (DomainRef alive = domain.lock()) {
        found.push_back(std::move(alive));
      }
    }
  }
  return found;
}

}  // namespace xl::toolstack
