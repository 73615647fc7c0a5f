// SPDX-License-Identifier: Apache-2.0
// Reaching memory: map, copy, tell which frames there are.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/page_types.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

namespace xl::hv::xen {
namespace {

// The builder's and libxl's special pages; never on demand.
constexpr Gfn special_start(0xf0000);
constexpr Gfn special_end(0x100000);

// Owns one mapping; outlives the XenHypervisor.
class ForeignMapping {
 public:
  ForeignMapping(std::shared_ptr<Handles> handles, void* start, std::size_t pages)
      : handles_(std::move(handles)), start_(start), pages_(pages) {}
  ForeignMapping(const ForeignMapping&) = delete;
  ForeignMapping& operator=(const ForeignMapping&) = delete;
  ~ForeignMapping() { xenforeignmemory_unmap(handles_->memory(), start_, pages_); }

 private:
  std::shared_ptr<Handles> handles_;
  void* start_;
  std::size_t pages_;
};

GuestMapping one_segment(Gfn first, void* start, Pages pages, std::shared_ptr<void> keep_alive) {
  const std::span bytes(static_cast<std::byte*>(start), to_bytes(pages).count());
  return GuestMapping({{first, bytes}}, std::move(keep_alive));
}

std::string copy_text(DomId domain, GuestPhys at, std::size_t size) {
  return "guest memory [" + std::to_string(at.value()) + ", +" + std::to_string(size) + ") of " +
         name_of(domain);
}

// The frames that hold the bytes.
Result<Extent> frames_of(DomId domain, GuestPhys at, std::size_t size) {
  GuestPhys last;
  if (!GuestPhys::checked_add(at, Bytes(size - 1), last)) {
    return fail(ErrorCode::invalid_argument, copy_text(domain, at, size) + " wraps");
  }
  return Extent{to_gfn(at), to_gfn(last) - to_gfn(at) + Pages(1)};
}

bool never_on_demand(const Extent& extent) {
  return extent.first >= special_start && extent.first + extent.count <= special_end;
}

}  // namespace

Result<GuestMapping> XenHypervisor::map_all(DomId domain, Extent extent, int protection) const {
  const auto pages = static_cast<std::size_t>(extent.count.count());
  std::vector<xen_pfn_t> frames(pages);
  for (std::size_t i = 0; i < pages; ++i) {
    frames[i] = extent.first.value() + i;
  }
  std::vector<int> errors(pages);
  const Listening listening;
  void* start = xenforeignmemory_map2(handles_->memory(), domain.value(), nullptr, protection, 0,
                                      pages, frames.data(), errors.data());
  if (start == nullptr) {
    return listening.failure("mapping " + name_of(extent) + " of " + name_of(domain));
  }
  auto owner = std::make_shared<ForeignMapping>(handles_, start, pages);
  const auto bad = std::find_if(errors.begin(), errors.end(), [](int error) { return error != 0; });
  if (bad == errors.end()) {
    return one_segment(extent.first, start, extent.count, std::move(owner));
  }
  if (*bad == -ESRCH || *bad == -ENOMEM) {
    return listening.failure(-*bad, "mapping " + name_of(extent) + " of " + name_of(domain));
  }
  return fail(ErrorCode::invalid_argument,
              name_of(domain) + " has no frame " +
                  std::to_string(frames[static_cast<std::size_t>(bad - errors.begin())]));
}

// Touching a frame on demand when nothing is left crashes the domain, and whether a frame is one
// cannot be asked. So: as few at a time as there is memory for, and then all at once.
Result<GuestMapping> XenHypervisor::map_on_demand(DomId domain, Extent extent,
                                                  const PodState& state) const {
  PodState now = state;
  for (Pages done; done < extent.count;) {
    if (now.entries > now.cache && now.cache == Pages(0)) {
      return fail(ErrorCode::no_memory, name_of(domain) +
                                            " has all memory that it gets on demand: mapping " +
                                            name_of(extent) + " might need more");
    }
    const Pages left = extent.count - done;
    const Pages part = now.entries <= now.cache ? left : std::min(left, now.cache);
    XL_TRY(map_all(domain, {extent.first + done, part}, PROT_READ));
    done += part;
    XL_TRY_ASSIGN(now, pod_state(domain));
  }
  return map_all(domain, extent, PROT_READ | PROT_WRITE);
}

Result<GuestMapping> XenHypervisor::map_frames(DomId domain, Extent extent) {
  XL_TRY(check_extents(std::span(&extent, 1)));
  if (!never_on_demand(extent)) {
    XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
    XL_TRY_ASSIGN(const DomainInfo info, to_info(raw));
    if (info.on_demand != Pages(0) || !ram_.is_all_populated(domain, info.handle)) {
      XL_TRY_ASSIGN(const PodState pod, pod_state(domain));
      if (pod.entries > pod.cache && pod.cache < extent.count) {
        return map_on_demand(domain, extent, pod);
      }
    }
  }
  return map_all(domain, extent, PROT_READ | PROT_WRITE);
}

// Domain 0's stores are an emulated CPU's, if anything is emulated: no translated code goes stale.
Result<void> XenHypervisor::copy_to_guest(DomId domain, GuestPhys to,
                                          std::span<const std::byte> from) {
  if (from.empty()) {
    return {};
  }
  XL_TRY_ASSIGN(const Extent frames, frames_of(domain, to, from.size()));
  XL_TRY_ASSIGN(const GuestMapping mapping, map_frames(domain, frames));
  return mapping.write(to, from);
}

Result<void> XenHypervisor::copy_from_guest(DomId domain, GuestPhys from, std::span<std::byte> to) {
  if (to.empty()) {
    return {};
  }
  XL_TRY_ASSIGN(const Extent frames, frames_of(domain, from, to.size()));
  XL_TRY_ASSIGN(const GuestMapping mapping, map_frames(domain, frames));
  return mapping.read(from, to);
}

// Which of these frames there are. Those on demand get theirs.
Result<std::vector<Extent>> XenHypervisor::probe(DomId domain, Extent extent) const {
  std::vector<Extent> found;
  std::vector<std::uint64_t> frames;
  for (Pages done; done < extent.count; done += Pages(most_page_types)) {
    const Gfn first = extent.first + done;
    frames.resize(std::min<std::uint64_t>(most_page_types, (extent.count - done).count()));
    for (std::size_t i = 0; i < frames.size(); ++i) {
      frames[i] = first.value() + i;
    }
    XL_TRY(read_page_types(*handles_, domain, frames));
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto type = frames[i] & XEN_DOMCTL_PFINFO_LTAB_MASK;
      if (type == XEN_DOMCTL_PFINFO_XTAB || type == XEN_DOMCTL_PFINFO_BROKEN) {
        continue;
      }
      const Gfn frame = first + Pages(i);
      if (!found.empty() && found.back().first + found.back().count == frame) {
        found.back().count += Pages(1);
      } else {
        found.push_back({frame, Pages(1)});
      }
    }
  }
  return found;
}

Result<std::vector<Extent>> XenHypervisor::populated_extents(DomId domain) {
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  // Until it runs, what was given is what there is, but for frames on demand.
  if (const auto record = ram_.find(domain); record && raw.cpu_time == 0) {
    return record->populated;
  }
  XL_TRY_ASSIGN(const PodState pod, pod_state(domain));
  if (pod.entries > pod.cache) {
    return fail(ErrorCode::not_supported,
                "telling which frames " + name_of(domain) +
                    " has would give it more on demand than it may have",
                "wait until the guest has given back what is above its target");
  }
  const Listening listening;
  xen_pfn_t last = 0;
  if (xc_domain_maximum_gpfn(xc(), domain.value(), &last) < 0) {
    return listening.failure("telling how far the frames of " + name_of(domain) + " go");
  }
  return probe(domain, {Gfn(0), Pages(last + 1)});
}

Result<void> XenHypervisor::set_memory_map(DomId domain, std::span<const MemoryMapEntry> map) {
  std::vector<e820entry> rows;
  for (const MemoryMapEntry& entry : map) {
    rows.push_back({entry.start.value(), entry.size.count(), entry.type});
  }
  const Listening listening;
  return xc_domain_set_memory_map(xc(), domain.value(), rows.data(),
                                  static_cast<std::uint32_t>(rows.size())) == 0
             ? Result<void>()
             : listening.failure("setting a memory map of " + std::to_string(map.size()) +
                                 " rows for " + name_of(domain));
}

}  // namespace xl::hv::xen
