// SPDX-License-Identifier: Apache-2.0
// Giving memory: populate, on demand, targets, limits.
#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/scope_exit.hpp"
#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

namespace xl::hv::xen {
namespace {

// 1 GiB, 2 MiB, 4 KiB; each is tried where a stretch is aligned and long enough.
constexpr std::array<unsigned, 3> orders{18, 9, 0};
constexpr std::size_t batch = 1024;   // extents in one request
constexpr Pages worth_a_claim(1024);  // less is populated sooner than claimed
constexpr Pages special(16);          // no more than this is cleared here

// How many pages of `order` may start at `at`, of `left` that are wanted, before a larger order
// fits.
std::uint64_t run_of_order(Gfn at, Pages left, std::size_t which) {
  const std::uint64_t size = 1ULL << orders[which];
  if (at.value() % size != 0) {
    return 0;
  }
  std::uint64_t pages = left.count();
  if (which > 0) {
    const std::uint64_t larger = 1ULL << orders[which - 1];
    const std::uint64_t to_larger = (larger - at.value() % larger) % larger;
    if (to_larger != 0 && pages >= to_larger + larger) {
      pages = to_larger;
    }
  }
  return pages / size;
}

// In MiB where that says enough.
std::string memory_text(Pages pages) {
  constexpr std::uint64_t pages_per_mib = 256;
  return pages.count() >= 4 * pages_per_mib ? std::to_string(pages.count() / pages_per_mib) + " MiB"
                                            : std::to_string(pages.count()) + " pages";
}

}  // namespace

Result<void> XenHypervisor::set_max_memory(DomId domain, Pages max) {
  const Listening listening;
  const std::uint64_t kib = to_bytes(max).count() >> 10;
  return xc_domain_setmaxmem(xc(), domain.value(), kib) == 0
             ? Result<void>()
             : listening.failure("setting the maximum of " + name_of(domain) + " to " +
                                 memory_text(max));
}

// Xen says how much it did, and not why no more.
Error XenHypervisor::why_no_memory(DomId domain, Pages wanted) const {
  const auto raw = raw_info(domain);
  if (!raw) {
    return raw.error();
  }
  const Listening listening;
  xc_physinfo_t host{};
  xc_physinfo(xc(), &host);
  const Pages has(raw->tot_pages);
  const Pages may_have(raw->max_pages);
  const Pages free(host.free_pages - host.outstanding_pages);
  std::string message;
  if (has + wanted > may_have) {
    message = name_of(domain) + " has " + memory_text(has) + " and may have " +
              memory_text(may_have) + ": no room for " + memory_text(wanted) + " more";
  } else if (wanted > free) {
    return make_error(ErrorId::not_enough_memory,
                      "Xen has " + memory_text(free) + " free, and not the " + memory_text(wanted) +
                          " that " + name_of(domain) + " asks for",
                      "give this or another domain less; `xl list` shows who has it");
  } else {
    message = "Xen did not give " + name_of(domain) + " " + memory_text(wanted) +
              ", though it has as many free: the page tables' share may be used up";
  }
  return Error{ErrorCode::no_memory, std::move(message)};
}

// Sets aside what the domain will have in all, so that it fails at once if it fails.
Result<void> XenHypervisor::claim(DomId domain, Pages total) const {
  const Listening listening;
  if (xc_domain_claim_pages(xc(), domain.value(), total.count()) == 0) {
    return {};
  }
  if (errno != ENOMEM && errno != EINVAL) {
    return listening.failure("claiming " + memory_text(total) + " for " + name_of(domain));
  }
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  const Pages has(raw.tot_pages);
  return total > has ? Result<void>(Unexpected(why_no_memory(domain, total - has)))
                     : Result<void>();
}

// One extent, in as large pages as there are. `done` counts what was given, from its start on.
Result<void> XenHypervisor::populate(DomId domain, const Extent& extent, unsigned flags,
                                     Pages& done) {
  std::vector<xen_pfn_t> frames;
  frames.reserve(batch);
  std::size_t largest = 0;  // goes down when Xen has none of that size left
  while (done < extent.count) {
    const Gfn at = extent.first + done;
    const Pages left = extent.count - done;
    std::size_t which = largest;
    std::uint64_t run = 0;
    while ((run = run_of_order(at, left, which)) == 0) {
      ++which;
    }
    const std::uint64_t size = 1ULL << orders[which];
    frames.clear();
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(run, batch); ++i) {
      frames.push_back(at.value() + i * size);
    }
    const Listening listening;
    const int given = xc_domain_populate_physmap(xc(), domain.value(), frames.size(), orders[which],
                                                 flags, frames.data());
    if (given < 0) {
      return listening.failure("giving " + name_of(domain) + " " + name_of(extent));
    }
    done += Pages(static_cast<std::uint64_t>(given) * size);
    if (static_cast<std::size_t>(given) < frames.size()) {
      if (orders[which] == 0) {
        return Unexpected(why_no_memory(domain, extent.count - done));
      }
      largest = which + 1;
    }
  }
  return {};
}

// The first `count` pages of these extents.
void XenHypervisor::withdraw(DomId domain, std::span<const Extent> extents, Pages count) {
  std::vector<xen_pfn_t> frames;
  for (const Extent& extent : extents) {
    for (Pages i; i < extent.count && count > Pages(0); i += Pages(1), count -= Pages(1)) {
      frames.push_back((extent.first + i).value());
    }
  }
  const Listening listening;
  for (std::size_t from = 0; from < frames.size(); from += batch) {
    const std::size_t part = std::min(batch, frames.size() - from);
    xc_domain_decrease_reservation(xc(), domain.value(), part, 0, &frames[from]);
  }
}

// Xen would replace the frame. Of a domain that somebody else made, Xen is asked what is there,
// unless that would give it memory on demand.
Result<void> XenHypervisor::check_overlap(DomId domain, std::span<const Extent> extents) const {
  const auto refuse = [&](const Extent& extent) {
    return fail(ErrorCode::invalid_argument,
                name_of(domain) + " has some of the " + name_of(extent) + " already");
  };
  if (const auto record = ram_.find(domain)) {
    for (const Extent& extent : extents) {
      if (overlaps(record->populated, extent) || overlaps(record->on_demand, extent)) {
        return refuse(extent);
      }
    }
    return {};
  }
  XL_TRY_ASSIGN(const PodState pod, pod_state(domain));
  for (const Extent& extent : extents) {
    if (pod.entries == Pages(0)) {
      XL_TRY_ASSIGN(const std::vector<Extent> there, probe(domain, std::span(&extent, 1)));
      if (!there.empty()) {
        return refuse(extent);
      }
    }
  }
  return {};
}

Result<void> XenHypervisor::populate_physmap(DomId domain, std::span<const Extent> extents) {
  XL_TRY(check_extents(extents));
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  XL_TRY(check_overlap(domain, extents));
  const Pages wanted = total(extents);
  const bool claims = wanted >= worth_a_claim;
  if (claims) {
    XL_TRY(claim(domain, Pages(raw.tot_pages) + wanted));
  }
  const ScopeExit unclaim([&] {
    if (claims) {
      xc_domain_claim_pages(xc(), domain.value(), 0);
    }
  });
  Pages all_done;
  for (const Extent& extent : extents) {
    Pages done;
    const Result<void> given = populate(domain, extent, 0, done);
    all_done += done;
    if (!given) {
      withdraw(domain, extents, all_done);
      return given;
    }
  }
  // A frame that a running domain gave back is not scrubbed. What the builder fills is; rings are
  // not, and a few frames are rings.
  const Listening listening;
  for (const Extent& extent : extents) {
    if (extent.count <= special &&
        xc_clear_domain_pages(xc(), domain.value(), extent.first.value(),
                              static_cast<int>(extent.count.count())) != 0) {
      withdraw(domain, extents, all_done);
      return listening.failure("clearing " + name_of(extent) + " of " + name_of(domain));
    }
  }
  ram_.add_populated(domain, extents);
  return {};
}

Result<XenHypervisor::PodState> XenHypervisor::pod_state(DomId domain) const {
  const Listening listening;
  std::uint64_t all = 0;
  std::uint64_t cache = 0;
  std::uint64_t entries = 0;
  if (xc_domain_get_pod_target(xc(), domain.value(), &all, &cache, &entries) != 0) {
    return listening.failure("telling what memory " + name_of(domain) + " gets on demand");
  }
  return PodState{Pages(cache), Pages(entries)};
}

// Promises first: Xen sets nothing aside for a domain that has frames and no promise.
Result<void> XenHypervisor::populate_on_demand(DomId domain, std::span<const Extent> extents,
                                               Pages target) {
  XL_TRY(check_extents(extents));
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  XL_TRY(check_overlap(domain, extents));
  XL_TRY_ASSIGN(const PodState before, pod_state(domain));
  const Pages has(raw.tot_pages);
  const Pages most = has - before.cache + before.entries + total(extents);
  const Pages aim = std::min(target, most);
  if (aim > has) {
    XL_TRY(claim(domain, aim));
  }
  const ScopeExit unclaim([&] { xc_domain_claim_pages(xc(), domain.value(), 0); });
  Pages all_done;
  for (const Extent& extent : extents) {
    Pages done;
    const Result<void> promised = populate(domain, extent, XENMEMF_populate_on_demand, done);
    all_done += done;
    if (!promised) {
      withdraw(domain, extents, all_done);
      return promised;
    }
  }
  const Result<void> set_aside = set_memory_target(domain, aim, Excess::keep);
  if (!set_aside) {
    withdraw(domain, extents, all_done);
    return set_aside;
  }
  ram_.add_on_demand(domain, extents);
  return {};
}

// Xen never takes back what it has set aside above a lower target: the guest has to give as much
// back first. Domain 0 and other PV guests get nothing on demand, and Xen takes no target for them.
Result<void> XenHypervisor::set_memory_target(DomId domain, Pages target, Excess) {
  const Listening listening;
  if (xc_domain_set_pod_target(xc(), domain.value(), target.count(), nullptr, nullptr, nullptr) ==
      0) {
    return {};
  }
  const int why = errno;
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  if ((raw.flags & XEN_DOMINF_hvm_guest) == 0) {
    return {};
  }
  if (why == ENOMEM) {
    const Pages has(raw.tot_pages);
    return Unexpected(why_no_memory(domain, target > has ? target - has : Pages(1)));
  }
  return listening.failure(
      why, "setting the target of " + name_of(domain) + " to " + memory_text(target));
}

}  // namespace xl::hv::xen
