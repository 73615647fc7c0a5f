// SPDX-License-Identifier: Apache-2.0
// Definitions of Memory<P>: RAM that gets its frames when it is first touched. The frames that a
// domain may still demand (Domain::promised) are set aside: nobody else's request is granted out of
// them, so that a guest within its target does not meet an empty host.
#pragma once

#include "hypervisor/core/memory.hpp"

namespace hyp {

// What the domain may still get by demand, after any change of its pages, promises or target.
template <typename P>
void Memory<P>::settle(Domain<P>& domain) {
  const std::uint64_t pages = domain.pages.load();
  const std::uint64_t room = domain.allowance > pages ? domain.allowance - pages : 0;
  const std::uint64_t now = room < domain.on_demand_pages ? room : domain.on_demand_pages;
  const std::uint64_t before = domain.promised.exchange(now);
  core_.promised.fetch_add(now - before);  // modulo 2^64: down as well as up
}

// What is about to be free counts, unless it is on its way at this very moment: it must not count
// twice, and the CPU that moves it may wait for the lock that is held here.
template <typename P>
bool Memory<P>::can_be_had(std::uint64_t pages) const {
  bool enough = core_.frames.counts().free() >= pages;
  if (!enough) {
    reaper_.try_between_steps(
        [&](std::uint64_t pending) { enough = core_.frames.counts().free() + pending >= pages; });
  }
  return enough;
}

template <typename P>
bool Memory<P>::can_take(const Domain<P>& domain, std::uint64_t pages) const {
  const std::uint64_t of_others = core_.promised.load() - domain.promised.load();
  return of_others == 0 || can_be_had(of_others + pages);
}

template <typename P>
Result<std::uint64_t> Memory<P>::promise_leaf(Domain<P>& domain, Gfn gfn, std::uint64_t count) {
  unsigned level = 2;
  while (level > 0 && (count < level_pages(level) || gfn.value() % level_pages(level) != 0 ||
                       !domain.physmap.is_free(gfn, level))) {
    --level;
  }
  XL_TRY(domain.physmap.promise(gfn, level, table_frames(domain)));
  const std::uint64_t last = gfn.value() + level_pages(level) - 1;
  domain.highest_gfn = last > domain.highest_gfn ? last : domain.highest_gfn;
  domain.on_demand_pages += level_pages(level);
  settle(domain);
  return level_pages(level);
}

// A lower target takes nothing away, neither frames nor promises: the allowance comes down as the
// guest gives back (gave_back), so that it may touch what it is about to give. Unless it is to be
// withdrawn: then the guest keeps the frames that it has, and no more than the target is promised.
template <typename P>
Result<void> Memory<P>::set_target(Domain<P>& domain, std::uint64_t pages, bool withdraw) {
  const std::uint64_t before = domain.allowance;
  const std::uint64_t promised = withdraw ? 0 : domain.promised.load();
  const std::uint64_t has = domain.pages.load() + promised;
  domain.allowance = pages > has ? pages : has;
  settle(domain);
  if (domain.allowance > before && !can_be_had(core_.promised.load())) {
    domain.allowance = before;
    settle(domain);
    return fail(Errno::nomem);
  }
  domain.memory_target = pages;
  domain.shortage_told.store(false);
  return {};
}

template <typename P>
void Memory<P>::gave_back(Domain<P>& domain, std::uint64_t pages) {
  const std::uint64_t beyond =
      domain.allowance > domain.memory_target ? domain.allowance - domain.memory_target : 0;
  domain.allowance -= pages < beyond ? pages : beyond;
}

// Into the place of a promise, which is as large or larger.
template <typename P>
Result<void> Memory<P>::fill_leaf(Domain<P>& domain, Gfn gfn, unsigned level) {
  XL_TRY_ASSIGN(const Mfn mfn, core_.frames.alloc(9 * level));
  if (Result<void> kept = domain.physmap.keep_promise(gfn, mfn, level, table_frames(domain));
      !kept) {
    core_.frames.free(mfn, 9 * level, Taint::untouched);
    return kept;
  }
  domain.pages += level_pages(level);
  domain.on_demand_pages -= level_pages(level);
  settle(domain);
  return {};
}

// Errors of the allocator that pass by themselves: frames are being scrubbed, given back by the
// host or by a domain that ended.
template <typename P>
Errno Memory<P>::fill_error(Errno cause) const {
  const bool passes = cause == Errno::busy || cause == Errno::again || reaper_.has_work();
  return passes ? Errno::again : Errno::nospc;
}

template <typename P>
Result<void> Memory<P>::fill(Domain<P>& domain, Gfn gfn) {
  const PhysmapEntry entry = domain.physmap.lookup(gfn);
  if (entry.kind != PageKind::on_demand) {
    return {};  // another CPU was quicker
  }
  const std::uint64_t pages = domain.pages.load();
  const std::uint64_t room = domain.allowance > pages ? domain.allowance - pages : 0;
  if (room == 0) {
    if (domain.dying.load()) {
      return fail(Errno::again);
    }
    tell_shortage(domain);
    return fail(Errno::nomem);
  }
  // Not the last of it, unless all can be had: a guest that touches here and there may go on.
  const bool plenty = domain.on_demand_pages <= room || room >= domain.allowance / 4;
  if (entry.level > 0 && room >= level_pages(1) && plenty) {
    const Gfn first(gfn.value() & ~(level_pages(1) - 1));
    if (fill_leaf(domain, first, 1)) {
      return {};
    }
  }
  if (const Result<void> filled = fill_leaf(domain, gfn, 0); !filled) {
    return fail(fill_error(filled.error()));
  }
  return {};
}

// Once, until the target changes: the guest may try again and again.
template <typename P>
void Memory<P>::tell_shortage(Domain<P>& domain) {
  if (!domain.shortage_told.exchange(true)) {
    core_.log.write(Level::error, domain.id, " uses all ", domain.allowance / 256,
                    " MiB that it may have and touches more (", domain.on_demand_pages / 256,
                    " MiB are left to be touched): its balloon driver did not give enough back. "
                    "Set memory= to maxmem=, or raise it");
  }
}

template <typename P>
Result<PhysmapEntry> Memory<P>::touch(Domain<P>& domain, Gfn gfn) {
  const PhysmapEntry entry = domain.physmap.lookup(gfn);
  if (entry.kind != PageKind::on_demand) {
    return entry;
  }
  Guard guard(domain.memory_lock);
  XL_TRY(fill(domain, gfn));
  return domain.physmap.lookup(gfn);
}

}  // namespace hyp
