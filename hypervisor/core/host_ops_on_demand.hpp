// SPDX-License-Identifier: Apache-2.0
// HostOps<P>: memory on demand, the memory target, and which frames a domain has.
#pragma once

#include "hypervisor/core/host_ops.hpp"

namespace hyp {

// step: the extent, position: pages done of it; as populate(), which has the undo for both.
template <typename P>
HostResult HostOps<P>::populate_on_demand(HostRequest& request, Domain<P>& domain) {
  using xl::abi::ExtentRecord;
  constexpr unsigned entries_per_step = 256;
  if (request.undo_to != 0) {
    return undo_populate(request, domain, static_cast<Errno>(request.undo_to));
  }
  Guard guard(domain.memory_lock);
  if (request.step == 0 && request.position == 0) {
    XL_TRY(check_promises(request));
  }
  for (unsigned entry = 0; request.step < request.rows<ExtentRecord>(); ++entry) {
    if (entry == entries_per_step) {
      return Progress::more;
    }
    const auto extent = request.row<ExtentRecord>(request.step);
    const Result<std::uint64_t> added = parts_.memory.promise_leaf(
        domain, Gfn(extent.gfn + request.position), extent.pages - request.position);
    if (!added) {
      return undo_from_here(request, added.error() == Errno::exist ? Errno::inval : added.error());
    }
    request.position += *added;
    if (request.position == extent.pages) {
      ++request.step;
      request.position = 0;
    }
  }
  const HostResult set = try_target(domain, request.args[0], false);
  return set ? set : undo_from_here(request, set.error());
}

// While frames are on their way, to have too few of them says nothing yet.
template <typename P>
HostResult HostOps<P>::try_target(Domain<P>& domain, std::uint64_t pages, bool withdraw) {
  const Result<void> set = parts_.memory.set_target(domain, pages, withdraw);
  if (!set && set.error() == Errno::nomem && parts_.reaper.has_work()) {
    return Progress::more;
  }
  return done(set);
}

template <typename P>
HostResult HostOps<P>::undo_from_here(HostRequest& request, Errno cause) const {
  request.undo_to = static_cast<std::uint64_t>(cause);
  return Progress::more;
}

template <typename P>
Result<void> HostOps<P>::check_promises(const HostRequest& request) const {
  using xl::abi::ExtentRecord;
  if (!request.whole_rows<ExtentRecord>() || request.args[0] > gfn_limit) {
    return fail(Errno::inval);
  }
  for (std::uint64_t i = 0; i < request.rows<ExtentRecord>(); ++i) {
    const auto extent = request.row<ExtentRecord>(i);
    if (extent.pages == 0 || extent.gfn >= gfn_limit || extent.pages > gfn_limit - extent.gfn) {
      return fail(Errno::inval);
    }
  }
  return {};
}

template <typename P>
HostResult HostOps<P>::set_memory_target(HostRequest& request, Domain<P>& domain) {
  const std::uint64_t flags = request.args[1];
  if (request.args[0] > gfn_limit || (flags & ~xl::abi::target_flag_withdraw) != 0) {
    return fail(Errno::inval);
  }
  Guard guard(domain.memory_lock);
  return try_target(domain, request.args[0], (flags & xl::abi::target_flag_withdraw) != 0);
}

// position: where to look next; args[1] and args[2]: the run so far, its start and pages.
template <typename P>
HostResult HostOps<P>::list_extents(HostRequest& request, Domain<P>& domain) {
  constexpr unsigned entries_per_step = 4096;
  std::uint64_t& start = request.args[1];
  std::uint64_t& pages = request.args[2];
  if (request.step == 0) {
    request.step = 1;
    request.position = request.args[0];
    start = pages = 0;
  }
  for (unsigned i = 0; request.position <= domain.highest_gfn; ++i) {
    if (i == entries_per_step) {
      return Progress::more;
    }
    const PhysmapEntry entry = domain.physmap.lookup(Gfn(request.position));
    const std::uint64_t size = level_pages(entry.level);
    const std::uint64_t length = size - (request.position & (size - 1));
    const bool ram = entry.kind == PageKind::ram;
    if (pages != 0 && !ram && !request.put(xl::abi::ExtentRecord{start, 0, pages})) {
      request.results[0] = 1;  // more: this run comes first then
      return done();
    }
    if (ram) {
      start = pages == 0 ? request.position : start;
      pages += length;
    } else {
      pages = 0;
    }
    request.position += length;
  }
  if (pages != 0 && !request.put(xl::abi::ExtentRecord{start, 0, pages})) {
    request.results[0] = 1;
  }
  return done();
}

}  // namespace hyp
