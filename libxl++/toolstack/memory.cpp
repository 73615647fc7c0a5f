// SPDX-License-Identifier: Apache-2.0
// Ballooning: what a domain is asked to have, and what it may have. As libxl does it: the cap
// first, then what may be demanded, then the word to the guest's balloon driver in memory/target.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/scope_exit.hpp"
#include "libxl++/toolstack/engine.hpp"
#include "libxl++/toolstack/memory_nodes.hpp"
#include "libxl++/toolstack/memory_size.hpp"

namespace xl::toolstack {
namespace {

constexpr Bytes smallest = mib(1);
constexpr Bytes smallest_zero = mib(128);  // LIBXL_MIN_DOM0_MEM

std::string in_mib(Bytes size) {
  return size.count() % mib(1).count() == 0 ? fmt::format("{} MiB", size.count() >> 20)
                                            : fmt::format("{} KiB", size.count() >> 10);
}

Result<void> check_alive(const Domain& domain) {
  return domain.lines_cut ? fail(ErrorId::domain_busy,
                                 fmt::format("domain {} is being destroyed", domain.id.value()))
                          : Result<void>();
}

// How much another toolstack made a domain for, only that one knows.
Result<void> check_target(const Domain& domain, Bytes target, Bytes static_max) {
  const Bytes least = domain.id == DomId(0) ? smallest_zero : smallest;
  if (target < least) {
    return fail(ErrorId::memory_out_of_range,
                fmt::format("{} is less than {} can run with", in_mib(target),
                            domain.id == DomId(0) ? domain.claim.name() : "any domain"),
                fmt::format("give it {} or more", in_mib(least)));
  }
  const Bytes made_for = domain.plan.config.max_memory;
  if (!domain.is_foreign && target > made_for) {
    return fail(ErrorId::memory_out_of_range,
                fmt::format("{} is more than the domain was made for, {}", in_mib(target),
                            in_mib(made_for)),
                "its memory map ends there: create it with a larger maxmem=");
  }
  if (target > static_max) {
    return fail(
        ErrorId::memory_out_of_range,
        fmt::format("{} is more than the domain may have, {}", in_mib(target), in_mib(static_max)),
        "xl mem-max it to that or more first");
  }
  return {};
}

}  // namespace

// Xen takes pages of zeroes back from a domain that has no more to get on demand, which the balloon
// driver has just made of those that it is about to give back.
Pages Engine::slack() const {
  return options_.host ? libxl_slack : target_slack;
}

Pages current_memory(const hv::DomainInfo& info, Bytes target, Pages slack) {
  // Up to the target there are the special pages and the slack besides, which are not the guest's.
  const Pages sum = info.memory + info.on_demand;
  const Pages wanted = to_pages_up(target);
  if (sum > wanted + slack) {
    return sum;  // it has not given back yet
  }
  return std::max(info.memory, std::min(sum, wanted + libxl_slack - Pages(1)));
}

Result<MemoryState> Engine::memory_state(DomId id) {
  XL_TRY_ASSIGN(const DomainRef domain, steered(id));
  const SessionRef& session = domain->session;
  if (id == DomId(0)) {
    XL_TRY(make_memory_nodes(*domain));
  }
  MemoryState state;
  XL_TRY_ASSIGN(state.target, read_memory(session->store(), id, "target"));
  XL_TRY_ASSIGN(state.static_max, read_memory(session->store(), id, "static-max"));
  XL_TRY_ASSIGN(const hv::DomainInfo info, checked(session, session->hypervisor().domain_info(id)));
  state.current = to_bytes(current_memory(info, state.target, slack()));
  state.hypervisor_max = to_bytes(info.max_memory);
  state.has_driver = session->store().may_be_watched(id, memory_path(id, "target"));
  return state;
}

Result<MemoryState> Engine::set_memory(DomId id, Bytes target) {
  XL_TRY_ASSIGN(const DomainRef domain, steered(id));
  XL_TRY_ASSIGN(const MemoryState now, memory_state(id));
  if (target > now.current && target <= now.static_max) {
    make_room(domain->session, to_pages_up(target - now.current), {});
  }
  {
    const std::lock_guard lock(domain->lifecycle);
    XL_TRY(check_alive(*domain));
    XL_TRY_ASSIGN(MemoryState before, memory_state(id));
    XL_TRY(check_target(*domain, target, before.static_max));
    if (domain->has_loan) {
      XL_TRY(checked(domain->session, end_loan(domain)));
      XL_TRY_ASSIGN(before, memory_state(id));
    }
    XL_TRY(apply_target(domain, before, target));
  }
  emit(LifecycleEvent::Kind::memory, id, domain->claim.name(), {},
       {{"target_kib", target.count() >> 10}});
  return memory_state(id);
}

// All or nothing, but for a hypervisor that dies in between.
Result<void> Engine::apply_target(const DomainRef& domain, const MemoryState& before,
                                  Bytes target) {
  hv::Hypervisor& hypervisor = domain->session->hypervisor();
  const auto pages = [this](Bytes size) { return to_pages_up(size) + slack(); };
  if (target > before.target) {
    XL_TRY(check_host_memory(domain, before, target));
  }
  XL_TRY(checked(domain->session, hypervisor.set_max_memory(domain->id, pages(target))));
  ScopeExit undo([&] {
    (void)hypervisor.set_max_memory(domain->id, to_pages_up(before.hypervisor_max)).has_value();
  });
  XL_TRY(checked(domain->session,
                 hypervisor.set_memory_target(domain->id, pages(target), hv::Excess::keep)));
  XL_TRY(tell_target(domain, target));
  undo.release();
  return {};
}

Result<void> Engine::tell_target(const DomainRef& domain, Bytes target) {
  const std::vector<xenstore::NodeSpec> nodes{
      memory_node(domain->id, "target", target),
      {fmt::format("/vm/{}/memory", to_string(domain->claim.uuid())),
       std::to_string(target.count() >> 20), nullptr}};
  XL_TRY(domain->session->store().write(nodes));
  domain->memory_target = target.count();
  return {};
}

Result<void> Engine::check_host_memory(const DomainRef& domain, const MemoryState& before,
                                       Bytes target) {
  XL_TRY_ASSIGN(const hv::HostInfo host,
                checked(domain->session, domain->session->hypervisor().host_info()));
  const Bytes more = target - std::min(target, before.current);
  if (to_bytes(host.free_memory) < more) {
    return fail(ErrorId::not_enough_memory,
                fmt::format("the domain needs {} more, and {} MiB are free", in_mib(more),
                            to_bytes(host.free_memory).count() >> 20),
                "shrink or destroy other domains");
  }
  return {};
}

Result<void> Engine::set_max_memory(DomId id, Bytes most) {
  XL_TRY_ASSIGN(const DomainRef domain, steered(id));
  const std::lock_guard lock(domain->lifecycle);
  XL_TRY(check_alive(*domain));
  XL_TRY(checked(domain->session, end_loan(domain)));
  XL_TRY_ASSIGN(const MemoryState state, memory_state(id));
  if (most < state.target) {
    return fail(ErrorId::memory_out_of_range,
                fmt::format("{} is less than the domain is asked to have, {}", in_mib(most),
                            in_mib(state.target)),
                "xl mem-set it to that or less first");
  }
  XL_TRY(checked(domain->session,
                 domain->session->hypervisor().set_max_memory(id, to_pages_up(most) + slack())));
  const std::vector<xenstore::NodeSpec> nodes{memory_node(id, "static-max", most)};
  XL_TRY(domain->session->store().write(nodes));
  emit(LifecycleEvent::Kind::memory, id, domain->claim.name(), {},
       {{"max_kib", most.count() >> 10}});
  return {};
}

}  // namespace xl::toolstack
