// SPDX-License-Identifier: Apache-2.0
// Reaching memory: map, copy, tell which frames there are.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/scope_exit.hpp"
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

Result<Gfn> end_of_physmap(const Handles& handles, DomId domain) {
  const Listening listening;
  xen_pfn_t last = 0;
  if (xc_domain_maximum_gpfn(handles.xc(), domain.value(), &last) < 0) {
    return listening.failure("telling how far the frames of " + name_of(domain) + " go");
  }
  return Gfn(last) + Pages(1);
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

// Whether a domain with memory on demand has all of these frames. A look costs, so the last one
// serves as long as it can; a new one is worth it when nothing is left to give.
Result<bool> XenHypervisor::is_there(DomId domain, const PodState& pod, Extent extent) {
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  const auto last = looks_.find(domain, handle_of(raw));
  if (last && last->frames.are_there(extent)) {
    return true;
  }
  const bool is_as_then =
      last && last->cpu_time == Nanoseconds(raw.cpu_time) && last->promised == pod.entries;
  if (pod.cache > Pages(0) || is_as_then) {
    return false;
  }
  if (const auto looked = look(domain); !looked) {
    return looked.error().code == ErrorCode::not_supported ? Result<bool>(false)
                                                           : Unexpected(looked.error());
  }
  const auto now = looks_.find(domain, handle_of(raw));
  return now && now->frames.are_there(extent);
}

// Touching a frame on demand when nothing is left crashes the domain, which does not run now. So:
// as few at a time as there is memory for, but for what is there already, and then all at once.
// What is mapped is not taken back meanwhile, as other zeroes are.
Result<GuestMapping> XenHypervisor::map_on_demand(DomId domain, Extent extent) {
  std::vector<GuestMapping> parts;
  for (Pages done; done < extent.count;) {
    XL_TRY_ASSIGN(const PodState now, pod_state(domain));
    const Extent left{extent.first + done, extent.count - done};
    if (now.entries <= now.cache) {
      break;
    }
    XL_TRY_ASSIGN(const bool are_there, is_there(domain, now, left));
    if (are_there) {
      break;
    }
    if (now.cache == Pages(0)) {
      return fail(ErrorCode::no_memory,
                  name_of(domain) + " has all memory that it gets on demand, and not all of " +
                      name_of(extent));
    }
    const Pages part = std::min(left.count, now.cache);
    XL_TRY_ASSIGN(GuestMapping mapping, map_all(domain, {left.first, part}, PROT_READ));
    parts.push_back(std::move(mapping));
    done += part;
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
      if (pod.entries > pod.cache) {
        XL_TRY(pause(domain));  // or it takes what is left first
        const ScopeExit run_on([&] { xc_domain_unpause(xc(), domain.value()); });
        return map_on_demand(domain, extent);
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

// Which of these frames there are, Xen's own pages not among them. Those on demand get theirs.
Result<std::vector<Extent>> XenHypervisor::probe(DomId domain,
                                                 std::span<const Extent> extents) const {
  std::vector<Extent> found;
  std::vector<std::uint64_t> frames;
  const auto ask = [&]() -> Result<void> {
    if (frames.empty()) {
      return {};
    }
    std::vector<std::uint64_t> types = frames;
    XL_TRY(read_page_types(*handles_, domain, types));
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto type = types[i] & XEN_DOMCTL_PFINFO_LTAB_MASK;
      if (type != XEN_DOMCTL_PFINFO_XTAB && type != XEN_DOMCTL_PFINFO_BROKEN) {
        append(found, Gfn(frames[i]));
      }
    }
    frames.clear();
    return {};
  };
  for (const Extent& extent : extents) {
    for (Pages i; i < extent.count; i += Pages(1)) {
      frames.push_back((extent.first + i).value());
      if (frames.size() == most_page_types) {
        XL_TRY(ask());
      }
    }
  }
  XL_TRY(ask());
  return found;
}

// Of a domain that does not run, and does not get any memory by this.
Result<std::vector<Extent>> XenHypervisor::look(DomId domain) {
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  XL_TRY_ASSIGN(const PodState pod, pod_state(domain));
  XL_TRY_ASSIGN(const Gfn end, end_of_physmap(*handles_, domain));
  for (const auto care : {PopulatedFrames::Care::usual, PopulatedFrames::Care::thorough}) {
    XL_TRY_ASSIGN(PopulatedFrames found, PopulatedFrames::find(handles_, domain, end, care));
    XL_TRY_ASSIGN(std::vector<Extent> extents, probe(domain, found.extents()));
    // It may own more, without a place in its physmap.
    if (total(extents) + pod.cache >= Pages(raw.tot_pages) ||
        care == PopulatedFrames::Care::thorough) {
      looks_.keep(
          {domain, handle_of(raw), Nanoseconds(raw.cpu_time), pod.entries, std::move(found)});
      return extents;
    }
  }
  return std::vector<Extent>();
}

Result<std::vector<Extent>> XenHypervisor::populated_extents(DomId domain) {
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  // Until it runs, what was given is what there is, but for frames on demand.
  if (const auto record = ram_.find(domain);
      record && record->on_demand.empty() && raw.cpu_time == 0) {
    return record->populated;
  }
  XL_TRY_ASSIGN(const PodState pod, pod_state(domain));
  if (pod.entries > Pages(0)) {
    XL_TRY(pause(domain));
    const ScopeExit run_on([&] { xc_domain_unpause(xc(), domain.value()); });
    auto found = look(domain);
    if (!found && found.error().code == ErrorCode::not_supported && pod.entries > pod.cache) {
      return fail(ErrorCode::not_supported,
                  "telling which frames " + name_of(domain) +
                      " has would give it more on demand than it may have, as " +
                      found.error().message,
                  "wait until the guest has given back what is above its target");
    }
    if (found || pod.entries > pod.cache) {
      return found;
    }
  }
  XL_TRY_ASSIGN(const Gfn end, end_of_physmap(*handles_, domain));
  const Extent all{Gfn(0), end - Gfn(0)};
  return probe(domain, std::span(&all, 1));
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
