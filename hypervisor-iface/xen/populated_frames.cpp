// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/xen/populated_frames.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/ram_records.hpp"
#include "hypervisor-iface/xen/stand_in.hpp"

namespace xl::hv::xen {
namespace {

constexpr xen_pfn_t block = 512;         // frames that Xen gives at once where it can
constexpr std::size_t questions = 1024;  // asked at once
// What is mapped of the table is a multiple of these entries.
constexpr xen_pfn_t table_chunk = (1ULL << 21) / sizeof(xen_pfn_t);
constexpr std::size_t most_looks = 4;

Result<bool> maps_by_machine_frame(const Handles& handles) {
  const Listening listening;
  xc_domaininfo_t own{};
  if (xc_domain_getinfolist(handles.xc(), 0, 1, &own) != 1) {
    return listening.failure("telling about domain 0");
  }
  return own.domain == 0 && (own.flags & XEN_DOMINF_hvm_guest) == 0;
}

// Asks the stand-in for all machine frames that may be its domain's.
class Search {
 public:
  Search(const MachineToPhys& table, const StandIn& stand_in, Gfn end)
      : table_(table), stand_in_(stand_in), end_(end.value()) {}

  Result<void> run(PopulatedFrames::Care care) {
    std::vector<xen_pfn_t> together;
    for (xen_pfn_t first = 0; first < table_.size(); first += block) {
      if (care == PopulatedFrames::Care::usual && is_together(first)) {
        together.push_back(first);
      } else {
        XL_TRY(ask_for_block(first));
      }
    }
    XL_TRY_ASSIGN(const std::vector<bool> owned, stand_in_.owns(together));
    for (std::size_t i = 0; i < together.size(); ++i) {
      if (owned[i]) {
        XL_TRY(ask_for_block(together[i]));
      }
    }
    return ask();
  }
  const std::vector<xen_pfn_t>& found() const { return found_; }

 private:
  bool may_be_guests(xen_pfn_t machine) const { return table_[machine] < end_; }
  // Was given at once, as it seems, so that all of it is one domain's.
  bool is_together(xen_pfn_t first) const {
    const std::uint64_t guest = table_[first];
    for (xen_pfn_t i = 0; i < block; ++i) {
      if (!may_be_guests(first + i) || table_[first + i] != guest + i) {
        return false;
      }
    }
    return true;
  }
  Result<void> ask_for_block(xen_pfn_t first) {
    for (xen_pfn_t machine = first; machine < first + block; ++machine) {
      if (may_be_guests(machine)) {
        asked_.push_back(machine);
      }
    }
    return asked_.size() < questions ? Result<void>() : ask();
  }
  Result<void> ask() {
    XL_TRY_ASSIGN(const std::vector<bool> owned, stand_in_.owns(asked_));
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      if (owned[i]) {
        found_.push_back(asked_[i]);
      }
    }
    asked_.clear();
    return {};
  }

  const MachineToPhys& table_;
  const StandIn& stand_in_;
  const std::uint64_t end_;
  std::vector<xen_pfn_t> asked_;
  std::vector<xen_pfn_t> found_;
};

}  // namespace

void MachineToPhys::Unmap::operator()(const volatile xen_pfn_t* start) const {
  ::munmap(const_cast<xen_pfn_t*>(start), size * sizeof(xen_pfn_t));
}

Result<MachineToPhys> MachineToPhys::map(const Handles& handles) {
  XL_TRY_ASSIGN(const bool is_possible, maps_by_machine_frame(handles));
  if (!is_possible) {
    return fail(ErrorCode::not_supported, "only a PV domain 0 sees which frames are whose");
  }
  const Listening listening;
  unsigned long end = 0;
  if (xc_maximum_ram_page(handles.xc(), &end) != 0) {
    return listening.failure("telling how much memory the host has");
  }
  const xen_pfn_t size = (end + table_chunk - 1) / table_chunk * table_chunk;
  const xen_pfn_t* start = xc_map_m2p(handles.xc(), size, PROT_READ, nullptr);
  if (start == nullptr) {
    return listening.failure("showing which frames are whose");
  }
  return MachineToPhys(Mapped(start, Unmap{size}));
}

Result<PopulatedFrames> PopulatedFrames::find(const std::shared_ptr<Handles>& handles, DomId domain,
                                              Gfn end, Care care) {
  XL_TRY_ASSIGN(MachineToPhys table, MachineToPhys::map(*handles));
  XL_TRY_ASSIGN(const StandIn stand_in, StandIn::create(handles, domain));
  Search search(table, stand_in, end);
  XL_TRY(search.run(care));
  std::vector<Frame> frames;
  frames.reserve(search.found().size());
  for (const xen_pfn_t machine : search.found()) {
    frames.push_back({Gfn(table[machine]), machine});
  }
  std::sort(frames.begin(), frames.end(),
            [](const Frame& a, const Frame& b) { return a.guest < b.guest; });
  frames.erase(std::unique(frames.begin(), frames.end(),
                           [](const Frame& a, const Frame& b) { return a.guest == b.guest; }),
               frames.end());
  return PopulatedFrames(std::move(table), std::move(frames));
}

std::vector<Extent> PopulatedFrames::extents() const {
  std::vector<Extent> all;
  for (const Frame& frame : frames_) {
    append(all, frame.guest);
  }
  return all;
}

bool PopulatedFrames::are_there(const Extent& extent) const {
  auto frame = std::lower_bound(frames_.begin(), frames_.end(), extent.first,
                                [](const Frame& f, Gfn first) { return f.guest < first; });
  for (Pages i; i < extent.count; i += Pages(1), ++frame) {
    const Gfn guest = extent.first + i;
    if (frame == frames_.end() || frame->guest != guest ||
        table_[frame->machine] != guest.value()) {
      return false;
    }
  }
  return true;
}

std::shared_ptr<const Looks::Look> Looks::find(DomId domain, const DomainHandle& handle) const {
  const std::lock_guard lock(mutex_);
  for (const auto& look : looks_) {
    if (look->domain == domain && look->handle == handle) {
      return look;
    }
  }
  return nullptr;
}

void Looks::keep(Look look) {
  forget(look.domain);
  const std::lock_guard lock(mutex_);
  if (looks_.size() == most_looks) {
    looks_.erase(looks_.begin());
  }
  looks_.push_back(std::make_shared<const Look>(std::move(look)));
}

void Looks::forget(DomId domain) {
  const std::lock_guard lock(mutex_);
  looks_.erase(std::remove_if(looks_.begin(), looks_.end(),
                              [&](const auto& look) { return look->domain == domain; }),
               looks_.end());
}

}  // namespace xl::hv::xen
