// SPDX-License-Identifier: Apache-2.0
// Definitions of Memory<P>.
#pragma once

#include <cstring>

#include "hypervisor/core/memory.hpp"

namespace hyp {

template <typename P>
Result<void> Memory<P>::populate_exact(Domain<P>& domain, Gfn gfn, unsigned level) {
  const std::uint64_t pages = level_pages(level);
  if (gfn.value() % pages != 0 || gfn.value() + pages > gfn_limit) {
    return fail(Errno::inval);
  }
  if (domain.counted_pages() + pages > domain.max_pages || !can_take(domain, pages)) {
    return fail(Errno::nomem);
  }
  if (const PhysmapEntry entry = domain.physmap.lookup(gfn);
      entry.kind == PageKind::on_demand && entry.level >= level) {
    return fill_leaf(domain, gfn, level);
  }
  if (!domain.physmap.is_free(gfn, level)) {
    return fail(Errno::exist);
  }
  const unsigned order = 9 * level;
  XL_TRY_ASSIGN(const Mfn mfn, core_.frames.alloc(order));
  if (Result<void> mapped = map(domain, gfn, mfn, level, PageKind::ram); !mapped) {
    core_.frames.free(mfn, order, Taint::untouched);
    return mapped;
  }
  domain.pages += pages;
  settle(domain);
  return {};
}

template <typename P>
Result<std::uint64_t> Memory<P>::populate_leaf(Domain<P>& domain, Gfn gfn, std::uint64_t count,
                                               std::uint64_t extent) {
  for (unsigned level = 2; level > 0; --level) {
    const std::uint64_t pages = level_pages(level);
    if ((level == 2 && extent < giga_leaf_threshold) || count < pages || gfn.value() % pages != 0 ||
        !domain.physmap.is_free(gfn, level)) {
      continue;
    }
    const Result<void> done = populate_exact(domain, gfn, level);
    if (done) {
      return pages;
    }
    // A smaller page may still do, unless it is the domain's limit that is reached.
    if (done.error() != Errno::nomem && done.error() != Errno::again) {
      return fail(done.error());
    }
  }
  XL_TRY(populate_exact(domain, gfn, 0));
  return std::uint64_t{1};
}

template <typename P>
void Memory<P>::drop_promise(Domain<P>& domain, Gfn gfn) {
  domain.on_demand_pages -= level_pages(domain.physmap.lookup(gfn).level);
  domain.physmap.remove_leaf(gfn);
  settle(domain);
}

template <typename P>
void Memory<P>::undo_leaf(Domain<P>& domain, Gfn gfn) {
  const PhysmapEntry entry = domain.physmap.lookup(gfn);
  if (entry.kind == PageKind::on_demand) {
    drop_promise(domain, gfn);
  } else if (entry.kind == PageKind::ram) {
    domain.physmap.remove_leaf(gfn);
    core_.frames.free(entry.mfn, 9 * entry.level, Taint::used);
    domain.pages -= level_pages(entry.level);
    settle(domain);
  }
}

template <typename P>
Result<void> Memory<P>::release_frame(Domain<P>& domain, Gfn gfn, ReleasedFrames& released) {
  const PhysmapEntry entry = domain.physmap.lookup(gfn);
  if (entry.kind == PageKind::on_demand) {
    XL_TRY(domain.physmap.unmap(gfn, table_frames(domain)));
    --domain.on_demand_pages;
    gave_back(domain, 1);
    return {};
  }
  if (entry.kind != PageKind::ram) {
    return fail(Errno::inval);
  }
  if (is_pinned(domain, entry.mfn)) {
    return fail(Errno::busy);
  }
  if (released.count == ReleasedFrames::capacity) {
    finish(domain, released);
  }
  XL_TRY(domain.physmap.unmap(gfn, table_frames(domain)));
  --domain.pages;
  gave_back(domain, 1);
  released.frames[released.count++] = entry.mfn;
  return {};
}

template <typename P>
void Memory<P>::finish(Domain<P>& domain, ReleasedFrames& released) {
  if (released.count != 0) {
    core_.platform.flush_physmap(domain);
    reaper_.add_frames(released.frames.data(), released.count);
    released.count = 0;
  }
  settle(domain);
}

template <typename P>
Result<void> Memory<P>::release(Domain<P>& domain, Gfn gfn, unsigned order,
                                ReleasedFrames& released) {
  const PhysmapEntry entry = domain.physmap.lookup(gfn);
  if (order == order_2m && entry.kind == PageKind::on_demand && entry.level == 1 &&
      gfn.value() % level_pages(1) == 0) {
    gave_back(domain, level_pages(1));
    drop_promise(domain, gfn);
    return {};
  }
  for (std::uint64_t i = 0; i < 1ULL << order; ++i) {
    XL_TRY(release_frame(domain, gfn + Pages(i), released));
  }
  return {};
}

template <typename P>
Result<void> Memory<P>::release(Domain<P>& domain, Gfn gfn) {
  ReleasedFrames released;
  const Result<void> done = release_frame(domain, gfn, released);
  finish(domain, released);
  return done;
}

template <typename P>
Result<void> Memory<P>::map(Domain<P>& domain, Gfn gfn, Mfn mfn, unsigned level, PageKind kind) {
  XL_TRY(domain.physmap.map(gfn, mfn, level, kind, table_frames(domain)));
  const std::uint64_t last = gfn.value() + level_pages(level) - 1;
  domain.highest_gfn = last > domain.highest_gfn ? last : domain.highest_gfn;
  return {};
}

template <typename P>
Result<void> Memory<P>::vacate(Domain<P>& domain, Gfn gfn) {
  switch (domain.physmap.lookup(gfn).kind) {
    case PageKind::none: return {};
    case PageKind::on_demand:
    case PageKind::ram: return release(domain, gfn);
    case PageKind::shared: return unmap_shared(domain, gfn);
    default: return fail(Errno::inval);
  }
}

template <typename P>
Result<void> Memory<P>::replace(Domain<P>& domain, Gfn gfn) {
  XL_TRY_ASSIGN(const Mfn mfn, core_.frames.alloc(0));
  const bool had_ram = domain.physmap.lookup(gfn).kind == PageKind::ram;
  Result<void> done = vacate(domain, gfn);
  done = done ? map(domain, gfn, mfn, 0, PageKind::ram) : done;
  if (!done) {
    core_.frames.free(mfn, 0, Taint::untouched);
    return done;
  }
  ++domain.pages;
  domain.unplaced_pages += had_ram ? 1 : 0;
  settle(domain);
  return {};
}

template <typename P>
Result<void> Memory<P>::map_shared(Domain<P>& domain, Gfn gfn, Mfn mfn) {
  XL_TRY(vacate(domain, gfn));
  return map(domain, gfn, mfn, 0, PageKind::shared);
}

template <typename P>
Result<void> Memory<P>::move(Domain<P>& domain, Gfn from, Gfn to) {
  XL_TRY_ASSIGN(const Mfn mfn, ram_frame(domain, from));
  if (from == to) {
    return {};
  }
  XL_TRY(vacate(domain, to));
  XL_TRY(map(domain, to, mfn, 0, PageKind::ram));
  if (Result<PhysmapEntry> gone = domain.physmap.unmap(from, table_frames(domain)); !gone) {
    domain.physmap.remove_leaf(to);
    return fail(gone.error());
  }
  core_.platform.flush_physmap(domain);
  return {};
}

template <typename P>
Result<void> Memory<P>::unmap_shared(Domain<P>& domain, Gfn gfn) {
  if (domain.physmap.lookup(gfn).kind != PageKind::shared) {
    return fail(Errno::inval);
  }
  XL_TRY(domain.physmap.unmap(gfn, table_frames(domain)));
  core_.platform.flush_physmap(domain);
  return {};
}

template <typename P>
Result<void> Memory<P>::map_grant(Domain<P>& domain, Gfn gfn, Mfn mfn, bool writable) {
  if (gfn.value() >= gfn_limit) {
    return fail(Errno::inval);
  }
  XL_TRY(vacate(domain, gfn));
  return map(domain, gfn, mfn, 0, writable ? PageKind::grant_rw : PageKind::grant_ro);
}

template <typename P>
Result<void> Memory<P>::unmap_grant(Domain<P>& domain, Gfn gfn) {
  XL_TRY(domain.physmap.unmap(gfn, table_frames(domain)));
  core_.platform.flush_physmap(domain);
  return {};
}

template <typename P>
Result<Mfn> Memory<P>::ram_frame(Domain<P>& domain, Gfn gfn) {
  XL_TRY(fill(domain, gfn));
  const PhysmapEntry entry = domain.physmap.lookup(gfn);
  if (entry.kind != PageKind::ram) {
    return fail(Errno::inval);
  }
  return entry.mfn;
}

template <typename P>
bool Memory<P>::is_pinned(Domain<P>& domain, Mfn mfn) const {
  Guard guard(core_.event_lock);  // what events use changes under it
  for (unsigned i = 0; i < domain.vcpu_count; ++i) {
    const Vcpu<P>& vcpu = *domain.vcpus[i];
    if ((vcpu.info_registered && vcpu.info_mfn == mfn) ||
        (vcpu.fifo.control != nullptr && vcpu.fifo.control_mfn == mfn)) {
      return true;
    }
  }
  return domain.grants.pins(mfn) || domain.fifo.pins(core_.platform, mfn);
}

// --- guest physical memory ---

template <typename P>
template <typename Copy>
Result<void> Memory<P>::each_piece(Domain<P>& domain, std::uint64_t address, std::uint64_t bytes,
                                   Copy&& copy) {
  if (address >= gfn_limit << xl::page_shift || bytes > (gfn_limit << xl::page_shift) - address) {
    return fail(Errno::fault);
  }
  for (std::uint64_t done = 0; done < bytes;) {
    const std::uint64_t at = address + done;
    const Result<PhysmapEntry> found = touch(domain, xl::to_gfn(GuestPhys(at)));
    if (!found || (found->kind != PageKind::ram && found->kind != PageKind::shared)) {
      return fail(Errno::fault);
    }
    const PhysmapEntry entry = *found;
    const std::uint64_t offset = at & (xl::page_size - 1);
    const std::uint64_t left = xl::page_size - offset;
    const std::uint64_t size = bytes - done < left ? bytes - done : left;
    copy(core_.platform.frame(entry.mfn) + offset, done, size);
    done += size;
  }
  return {};
}

template <typename P>
Result<void> Memory<P>::copy_to(Domain<P>& domain, std::uint64_t address, const std::byte* from,
                                std::uint64_t bytes) {
  return each_piece(domain, address, bytes,
                    [from](std::byte* at, std::uint64_t done, std::uint64_t size) {
                      std::memcpy(at, from + done, size);
                    });
}

template <typename P>
Result<void> Memory<P>::copy_from(Domain<P>& domain, std::uint64_t address, std::byte* to,
                                  std::uint64_t bytes) {
  return each_piece(domain, address, bytes,
                    [to](const std::byte* at, std::uint64_t done, std::uint64_t size) {
                      std::memcpy(to + done, at, size);
                    });
}

}  // namespace hyp
