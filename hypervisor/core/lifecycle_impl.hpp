// SPDX-License-Identifier: Apache-2.0
// Definitions of Lifecycle<P>.
#pragma once

#include <new>

#include "base/scope_exit.hpp"
#include "hypervisor/core/lifecycle.hpp"

namespace hyp {

// --- creation ---

template <typename P>
Result<void> Lifecycle<P>::add_vcpu(Domain<P>& domain, unsigned id) {
  XL_TRY_ASSIGN(const Mfn mfn, core_.alloc_pages(&domain, order_of<Vcpu<P>>()));
  // SAFETY: zeroed frames of at least the object's size and alignment, used for nothing else.
  auto* const vcpu = ::new (static_cast<void*>(core_.platform.frame(mfn))) Vcpu<P>();
  vcpu->domain = &domain;
  vcpu->id = VcpuId(id);
  vcpu->run_node.vcpu = vcpu;
  vcpu->run_node.allowed = vcpu->run_node.preferred = core_.scheduler.all_cpus();
  vcpu->state_since = core_.platform.now_ns();
  vcpu->cpu.store(core_.platform.cpu_id());
  const std::pair<Timer<P>*, TimerKind> timers[] = {{&vcpu->singleshot, TimerKind::singleshot},
                                                    {&vcpu->periodic, TimerKind::periodic},
                                                    {&vcpu->poll, TimerKind::poll},
                                                    {&vcpu->lapic, TimerKind::lapic}};
  for (const auto& [timer, kind] : timers) {
    timer->vcpu = vcpu;
    timer->kind = kind;
  }
  if (id < legacy_vcpus) {
    vcpu->info = domain.shared.vcpu(id);
  }
  if (Result<void> made = core_.platform.init_vcpu(*vcpu); !made) {
    core_.free_pages(&domain, mfn, order_of<Vcpu<P>>());
    return made;
  }
  domain.vcpus[id] = vcpu;
  ++domain.built_vcpus;
  return {};
}

template <typename P>
Result<void> Lifecycle<P>::build(Domain<P>& domain) {
  XL_TRY_ASSIGN(const Mfn root, core_.alloc_pages(&domain, 0));
  domain.physmap.init(core_.platform, root);
  XL_TRY_ASSIGN(const Mfn shared, core_.alloc_pages(&domain, 0));
  domain.shared_mfn = shared;
  domain.shared = SharedPage(core_.platform.frame(shared));
  XL_TRY(domain.grants.grow(1, [&] { return core_.alloc_pages(&domain, 0); }));
  XL_TRY(core_.platform.init_domain(domain));
  domain.platform_ready = true;
  for (unsigned id = 0; id < domain.vcpu_count; ++id) {
    XL_TRY(add_vcpu(domain, id));
    write_time(*domain.vcpus[id]);
  }
  for (Timer<P>& timer : domain.watchdogs) {
    timer.vcpu = domain.vcpus[0];
    timer.kind = TimerKind::watchdog;
  }
  domain.budget_timer.vcpu = domain.vcpus[0];
  domain.budget_timer.kind = TimerKind::budget;
  write_wall_clock(domain);
  return {};
}

template <typename P>
Result<DomId> Lifecycle<P>::create(const CreateOptions& options) {
  if (options.max_vcpus == 0 || options.max_vcpus > max_vcpus || options.max_pages > gfn_limit ||
      options.flags != 0) {
    return fail(Errno::inval);
  }
  XL_TRY_ASSIGN(const DomId id, core_.domains.next_free());
  if (!core_.domains.has_page(id)) {
    XL_TRY_ASSIGN(std::byte* const page, core_.alloc_bytes(nullptr));
    core_.domains.add_page(id, page);
  }
  XL_TRY_ASSIGN(const Mfn mfn, core_.frames.alloc(order_of<Domain<P>>()));
  // SAFETY: zeroed frames of at least the object's size and alignment, used for nothing else.
  auto* const domain = ::new (static_cast<void*>(core_.platform.frame(mfn))) Domain<P>();
  domain->overhead_pages.store(1ULL << order_of<Domain<P>>());
  domain->id = id;
  domain->vcpu_count = static_cast<unsigned>(options.max_vcpus);
  domain->max_pages = options.max_pages;
  domain->handle[0] = options.handle[0];
  domain->handle[1] = options.handle[1];
  if (Result<void> built = build(*domain); !built) {
    free_domain(*domain);
    return fail(built.error());
  }
  core_.domains.insert(id, domain);
  return id;
}

// --- time ---

template <typename P>
void Lifecycle<P>::write_time(Vcpu<P>& vcpu) {
  if (!vcpu.info) {
    return;
  }
  const ClockSample sample = core_.platform.clock_sample();
  const ClockScale scale = core_.platform.clock_scale();
  VcpuInfoView::write_time(vcpu.info.time(), sample.tsc, sample.system_ns, scale.tsc_to_system_mul,
                           scale.tsc_shift);
}

template <typename P>
void Lifecycle<P>::write_wall_clock(Domain<P>& domain) {
  domain.shared.write_wall_clock(core_.platform.wall_clock_ns(), domain.narrow.load());
}

template <typename P>
void Lifecycle<P>::set_width(Domain<P>& domain, bool narrow) {
  if (domain.narrow.exchange(narrow) != narrow) {
    write_wall_clock(domain);
  }
}

// --- running and stopping ---

template <typename P>
void Lifecycle<P>::update_all(Domain<P>& domain) {
  for (unsigned i = 0; i < domain.vcpu_count; ++i) {
    core_.scheduler.update(*domain.vcpus[i]);
  }
}

template <typename P>
void Lifecycle<P>::pause(Domain<P>& domain) {
  domain.pauses.fetch_add(1);
  update_all(domain);
}

template <typename P>
Result<void> Lifecycle<P>::unpause(Domain<P>& domain) {
  if (domain.pauses.load() == 0) {
    return fail(Errno::inval);
  }
  domain.pauses.fetch_sub(1);
  update_all(domain);
  return {};
}

template <typename P>
bool Lifecycle<P>::is_quiet(const Domain<P>& domain, unsigned cpu) {
  for (unsigned i = 0; i < domain.vcpu_count; ++i) {
    const Vcpu<P>& vcpu = *domain.vcpus[i];
    if (vcpu.running.load() && vcpu.cpu.load() != cpu) {
      return false;
    }
  }
  return true;
}

template <typename P>
void Lifecycle<P>::shutdown(Domain<P>& domain, std::uint32_t reason) {
  bool expected = false;
  if (!domain.shut_down.compare_exchange_strong(expected, true)) {
    return;  // the first reason counts
  }
  domain.shutdown_reason.store(reason);
  update_all(domain);
  core_.tell_host_changed(domain.id);
}

template <typename P>
void Lifecycle<P>::vcpu_up(Vcpu<P>& vcpu) {
  vcpu.blocked.store(false);
  vcpu.online.store(true);
  core_.scheduler.update(vcpu);
}

template <typename P>
void Lifecycle<P>::vcpu_down(Vcpu<P>& vcpu) {
  vcpu.online.store(false);
  core_.scheduler.update(vcpu);
}

// --- the end ---

// Before the grace period: one that fires at this moment is done with the domain at its end.
template <typename P>
void Lifecycle<P>::stop_timers(Domain<P>& domain) {
  core_.timers.settle();
  for (Timer<P>& timer : domain.watchdogs) {
    core_.timers.cancel(timer);
  }
  core_.timers.cancel(domain.budget_timer);
  for (unsigned i = 0; i < domain.built_vcpus; ++i) {
    Vcpu<P>& vcpu = *domain.vcpus[i];
    for (Timer<P>* const timer : {&vcpu.singleshot, &vcpu.periodic, &vcpu.poll, &vcpu.lapic}) {
      core_.timers.cancel(*timer);
    }
  }
}

template <typename P>
Result<void> Lifecycle<P>::destroy(Domain<P>& domain) {
  constexpr std::uint32_t ports_per_step = 512;
  if (!domain.dying.exchange(true)) {
    update_all(domain);
    stop_timers(domain);
  }
  domain.closed_ports = events_.close_some(domain, domain.closed_ports, ports_per_step);
  if (domain.closed_ports != 0) {
    return fail(Errno::again);
  }
  events_.release_host_ports(domain.id);
  grants_.drop_host_mappings(domain);
  core_.domains.remove(domain.id);
  {
    Guard guard(domain.memory_lock);
    domain.allowance = 0;
    core_.promised.fetch_sub(domain.promised.exchange(0));
  }
  core_.tell_host_changed(domain.id);
  reaper_.add_domain(domain);
  return {};
}

template <typename P>
bool Lifecycle<P>::tear_down(Domain<P>& domain) {
  constexpr unsigned leaves_per_step = 256;
  if (grants_.drop_mappings(domain, leaves_per_step)) {
    return true;
  }
  if (grants_.is_held(domain)) {
    return false;  // the last of its users brings it back
  }
  std::uint64_t freed = 0;
  const bool more = domain.physmap.take_down(
      leaves_per_step,
      [&](Gfn, const PhysmapEntry& entry) {
        if (entry.kind == PageKind::ram) {
          core_.frames.free(entry.mfn, 9 * entry.level,
                            entry.accessed ? Taint::used : Taint::untouched);
          domain.pages -= level_pages(entry.level);
          freed += level_pages(entry.level);
        }
      },
      [&](Mfn table) {
        core_.free_pages(&domain, table, 0);
        ++freed;
      });
  reaper_.freed(domain, freed, !more);
  if (!more) {
    free_domain(domain);
  }
  return more;
}

// What build() made, or the part of it that it came to make.
template <typename P>
void Lifecycle<P>::free_domain(Domain<P>& domain) {
  const auto free_one = [&](Mfn mfn) { core_.free_pages(&domain, mfn, 0); };
  for (unsigned i = 0; i < domain.built_vcpus; ++i) {
    Vcpu<P>& vcpu = *domain.vcpus[i];
    core_.platform.destroy_vcpu(vcpu);
    vcpu.~Vcpu<P>();
    core_.free_pages(&domain, core_.platform.frame_of(&vcpu), order_of<Vcpu<P>>());
  }
  if (domain.platform_ready) {
    core_.platform.destroy_domain(domain);
  }
  domain.grants.clear(core_.platform, free_one);
  domain.events.clear(core_.platform, free_one);
  if (domain.memory_map != nullptr) {
    free_one(core_.platform.frame_of(domain.memory_map));
  }
  if (domain.shared_mfn != Mfn()) {
    free_one(domain.shared_mfn);
  }
  if (domain.physmap.root() != Mfn()) {
    free_one(domain.physmap.root());
  }
  const Mfn mfn = core_.platform.frame_of(&domain);
  domain.~Domain<P>();
  core_.frames.free(mfn, order_of<Domain<P>>(), Taint::used);
}

}  // namespace hyp
