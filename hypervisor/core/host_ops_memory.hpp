// SPDX-License-Identifier: Apache-2.0
// HostOps<P>: a domain's memory.
#pragma once

#include "hypervisor/core/host_ops.hpp"

namespace hyp {

template <typename P>
HostResult HostOps<P>::set_max_memory(HostRequest& request, Domain<P>& domain) {
  if (request.args[0] > gfn_limit) {
    return fail(Errno::inval);
  }
  Guard guard(domain.memory_lock);
  domain.max_pages = request.args[0];
  return done();
}

// What can be known before the first frame is taken.
template <typename P>
HostResult HostOps<P>::check_extents(const HostRequest& request, const Domain<P>& domain) const {
  using xl::abi::ExtentRecord;
  if (!request.whole_rows<ExtentRecord>()) {
    return fail(Errno::inval);
  }
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < request.rows<ExtentRecord>(); ++i) {
    const auto extent = request.row<ExtentRecord>(i);
    if (extent.pages == 0 || extent.gfn >= gfn_limit || extent.pages > gfn_limit - extent.gfn) {
      return fail(Errno::inval);
    }
    total += extent.pages;
  }
  const auto counts = parts_.core.frames.counts();
  if (total > gfn_limit || domain.counted_pages() + total > domain.max_pages) {
    return fail(Errno::nomem);
  }
  if (total + parts_.core.promised.load() - domain.promised.load() > counts.clean + counts.dirty) {
    // What dead domains still hold comes back by itself; what the host holds, it has to return
    // first.
    return parts_.reaper.has_work() ? HostResult(Progress::more) : fail(Errno::nomem);
  }
  return done();
}

// step: the extent, position: pages done of it.
template <typename P>
HostResult HostOps<P>::populate(HostRequest& request, Domain<P>& domain) {
  using xl::abi::ExtentRecord;
  constexpr unsigned leaves_per_step = 64;
  constexpr std::uint64_t step_ns = 2'000'000;  // a leaf may have to be scrubbed first
  if (request.undo_to != 0) {
    return undo_populate(request, domain, static_cast<Errno>(request.undo_to));
  }
  if (request.step == 0 && request.position == 0) {
    XL_TRY_ASSIGN(const Progress enough, check_extents(request, domain));
    if (enough == Progress::more) {
      return enough;
    }
  }
  Guard guard(domain.memory_lock);
  const std::uint64_t end = parts_.core.platform.now_ns() + step_ns;
  for (unsigned leaf = 0; request.step < request.rows<ExtentRecord>(); ++leaf) {
    if (leaf == leaves_per_step || (leaf > 0 && parts_.core.platform.now_ns() > end)) {
      return Progress::more;
    }
    const auto extent = request.row<ExtentRecord>(request.step);
    const Result<std::uint64_t> added = parts_.memory.populate_leaf(
        domain, Gfn(extent.gfn + request.position), extent.pages - request.position, extent.pages);
    if (!added && added.error() == Errno::busy) {
      return Progress::more;
    }
    if (!added) {
      // What is mapped there already is the caller's mistake.
      const Errno cause = added.error() == Errno::exist   ? Errno::inval
                          : added.error() == Errno::again ? Errno::nomem
                                                          : added.error();
      request.undo_to = static_cast<std::uint64_t>(cause);
      return Progress::more;
    }
    request.position += *added;
    if (request.position == extent.pages) {
      ++request.step;
      request.position = 0;
    }
  }
  return done();
}

// Backwards through what populate has done, leaf by leaf.
template <typename P>
HostResult HostOps<P>::undo_populate(HostRequest& request, Domain<P>& domain, Errno cause) {
  using xl::abi::ExtentRecord;
  constexpr unsigned leaves_per_step = 256;
  Guard guard(domain.memory_lock);
  for (unsigned leaf = 0; leaf < leaves_per_step; ++leaf) {
    while (request.position == 0) {
      if (request.step == 0) {
        return fail(cause);
      }
      --request.step;
      request.position = request.row<ExtentRecord>(request.step).pages;
    }
    const auto extent = request.row<ExtentRecord>(request.step);
    const Gfn last(extent.gfn + request.position - 1);
    const std::uint64_t pages = level_pages(domain.physmap.lookup(last).level);
    parts_.memory.undo_leaf(domain, last);
    request.position -= pages < request.position ? pages : request.position;
  }
  return Progress::more;
}

// position: pages covered; args[2] to args[4]: the run so far. Who looks at memory that waits for
// its first touch touches it.
template <typename P>
HostResult HostOps<P>::translate(HostRequest& request, Domain<P>& domain) {
  constexpr std::uint64_t step_ns = 2'000'000;  // a frame may have to be scrubbed first
  const std::uint64_t first = request.args[0];
  const std::uint64_t count = request.args[1];
  if (first >= gfn_limit || count > gfn_limit - first) {
    return fail(Errno::inval);
  }
  xl::abi::ExtentRecord run{request.args[2], request.args[3], request.args[4]};
  if (request.step == 0) {
    run = {};
    request.step = 1;
  }
  const auto put_run = [&] {
    if (run.pages != 0 && request.put(run)) {
      request.results[0] = run.gfn + run.pages - first;
      return true;
    }
    return run.pages == 0;
  };
  const std::uint64_t end = parts_.core.platform.now_ns() + step_ns;
  for (std::uint64_t& at = request.position; at < count;) {
    const Result<PhysmapEntry> found = parts_.memory.touch(domain, Gfn(first + at));
    if (!found || (found->kind != PageKind::ram && found->kind != PageKind::shared)) {
      (void)put_run();
      // The rest cannot be had: that is no error as long as there is something before it.
      return found || request.results[0] != 0 ? done() : fail(Errno::nomem);
    }
    const std::uint64_t size = level_pages(found->level);
    const std::uint64_t left = size - ((first + at) & (size - 1));
    const std::uint64_t pages = left < count - at ? left : count - at;
    if (run.pages != 0 && run.mfn + run.pages == found->mfn.value()) {
      run.pages += pages;
    } else {
      if (!put_run()) {
        return done();
      }
      run = xl::abi::ExtentRecord{first + at, found->mfn.value(), pages};
    }
    at += pages;
    if (at < count && parts_.core.platform.now_ns() > end) {
      request.args[2] = run.gfn;
      request.args[3] = run.mfn;
      request.args[4] = run.pages;
      return Progress::more;
    }
  }
  (void)put_run();
  return done();
}

template <typename P>
HostResult HostOps<P>::copy_to(HostRequest& request, Domain<P>& domain) {
  if (request.args[1] > request.input_bytes) {
    return fail(Errno::inval);
  }
  return done(
      parts_.memory.copy_to(domain, request.args[0], request.input.data(), request.args[1]));
}

template <typename P>
HostResult HostOps<P>::copy_from(HostRequest& request, Domain<P>& domain) {
  if (request.args[1] > xl::abi::bulk_size) {
    return fail(Errno::inval);
  }
  XL_TRY(parts_.memory.copy_from(domain, request.args[0], request.output, request.args[1]));
  request.output_bytes = static_cast<std::uint32_t>(request.args[1]);
  return done();
}

template <typename P>
HostResult HostOps<P>::set_memory_map(HostRequest& request, Domain<P>& domain) {
  using xl::abi::MemoryMapRecord;
  static_assert(max_map_records * sizeof(MemoryMapRecord) <= xl::page_size);
  if (!request.whole_rows<MemoryMapRecord>() || request.rows<MemoryMapRecord>() > max_map_records) {
    return fail(Errno::inval);
  }
  if (domain.memory_map == nullptr) {
    XL_TRY_ASSIGN(std::byte* const bytes, parts_.core.alloc_bytes(&domain));
    // SAFETY: a zeroed frame that holds nothing else.
    domain.memory_map = reinterpret_cast<MemoryMapRecord*>(bytes);
  }
  domain.memory_map_count = 0;
  std::memcpy(domain.memory_map, request.input.data(), request.input_bytes);
  domain.memory_map_count = static_cast<unsigned>(request.rows<MemoryMapRecord>());
  return done();
}

}  // namespace hyp
