// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/layout/layout.hpp"

#include <fmt/format.h>
#include <xen/arch-x86/hvm/start_info.h>

#include <algorithm>
#include <array>

#include "libdomainbuilder/layout/addresses.hpp"
#include "libdomainbuilder/layout/free_ram.hpp"

namespace xl::build {

namespace {

constexpr GuestPhys first_usable{page_size};  // in start info, an address of 0 means "none"
constexpr Bytes memory_limit = gib(64 * 1024);

// A place that no kernel segment may touch.
struct Zone {
  PhysSpan span;
  std::string_view words;
  std::string_view hint;
};

// The special ones first, so that the message names the closest reason.
constexpr const char* elsewhere = "build the kernel for another physical address";
constexpr std::array fixed_zones{
    Zone{{special_start, special_end}, "the special pages (xenstore, console)", elsewhere},
    Zone{{lapic_page, lapic_page + Bytes(page_size)}, "the local APIC", elsewhere},
    Zone{{acpi_start, acpi_start + acpi_space}, "the place of the ACPI tables", elsewhere},
    Zone{{hole_start, hole_end}, "the hole below 4 GiB, where a guest has no RAM", elsewhere},
};
constexpr Zone rsdp_zone{{page_down(bios_area_rsdp_start), page_up(bios_area_rsdp_start)},
                         "the ACPI root pointer",
                         "set acpi = 0"};

std::string show(PhysSpan span) {
  return fmt::format("{:#x}-{:#x}", span.start.value(), span.end.value());
}

std::uint64_t mib_up(Bytes bytes) {
  return (bytes.count() + mib(1).count() - 1) >> 20;
}

// The smallest memory, in MiB, that has RAM up to `end`; the hole moves what is above it.
std::uint64_t memory_for(GuestPhys end) {
  const Bytes total = end - GuestPhys(0);
  return mib_up(end > hole_end ? total - (hole_end - hole_start) : total);
}

// All RAM, below the hole and above it.
struct RamSpans {
  PhysSpan low;
  PhysSpan high;  // empty if all lies below the hole
};

RamSpans ram_of(Bytes memory) {
  const Bytes below = std::min(memory, hole_start - GuestPhys(0));
  return {{GuestPhys(0), GuestPhys(0) + below}, {hole_end, hole_end + (memory - below)}};
}

class Planner {
 public:
  // `start`: what the domain has at start, and where the builder places things; `ram`: what it may
  // have.
  Planner(const LayoutInput& input, RamSpans start, RamSpans ram)
      : input_(input), start_(start), ram_(ram), free_(start.low) {}

  Result<Layout> plan() {
    place_ram();
    place_acpi();
    place_special_pages();
    XL_TRY(place_kernel());
    XL_TRY_ASSIGN(layout_.initrd, place(RangeKind::initrd, "initrd", input_.initrd_size));
    XL_TRY_ASSIGN(layout_.start_info,
                  place(RangeKind::start_info, "start info", input_.start_info_size));
    finish();
    return std::move(layout_);
  }

 private:
  bool is_on_demand() const {
    return ram_.low.end != start_.low.end || ram_.high.end != start_.high.end;
  }
  void place_ram();
  void add_ram(std::string name, PhysSpan span);
  void place_acpi();
  void place_special_pages();
  Result<void> place_kernel();
  Result<void> check_segment(const std::string& what, PhysSpan segment) const;
  Result<GuestPhys> place(RangeKind kind, const std::string& name, Bytes size);
  void finish();

  void add(RangeKind kind, std::string name, GuestPhys start, Bytes size) {
    layout_.ranges.push_back({kind, std::move(name), start, size});
  }
  void populate(GuestPhys start, Bytes size) {
    layout_.extents.push_back({to_gfn(start), to_pages_up(size)});
  }
  void map(GuestPhys start, GuestPhys end, std::uint32_t type) {
    if (start != end) {
      layout_.memory_map.push_back({start, end - start, type});
    }
  }
  bool has_bios_area_rsdp() const { return layout_.rsdp == bios_area_rsdp_start; }

  const LayoutInput& input_;
  const RamSpans start_;
  const RamSpans ram_;
  FreeRam free_;  // of start_.low
  GuestPhys kernel_end_ = first_usable;
  Layout layout_;
};

void Planner::place_ram() {
  const bool split = ram_.high.start != ram_.high.end;
  add_ram(split ? "low RAM" : "RAM", ram_.low);
  if (split) {
    add_ram("high RAM", ram_.high);
  }
  add(RangeKind::hole, "hole", hole_start, hole_end - hole_start);
  add(RangeKind::hole, "local APIC", lapic_page, Bytes(page_size));
}

void Planner::add_ram(std::string name, PhysSpan span) {
  add(RangeKind::ram, std::move(name), span.start, span.end - span.start);
  auto& extents = is_on_demand() ? layout_.on_demand : layout_.extents;
  extents.push_back({to_gfn(span.start), to_pages_up(span.end - span.start)});
}

void Planner::place_acpi() {
  if (input_.acpi_size == Bytes(0)) {
    return;
  }
  layout_.acpi = layout_.rsdp = acpi_start;
  add(RangeKind::acpi, "ACPI tables", acpi_start, input_.acpi_size);
  populate(acpi_start, input_.acpi_size);
  if (input_.bios_area_rsdp && start_.low.holds(rsdp_zone.span)) {
    layout_.rsdp = bios_area_rsdp_start;
    add(RangeKind::acpi, "ACPI root pointer", bios_area_rsdp_start,
        rsdp_zone.span.end - bios_area_rsdp_start);
    free_.take(rsdp_zone.span);
  }
}

void Planner::place_special_pages() {
  layout_.xenstore_ring = xenstore_ring_frame;
  layout_.console_ring = console_ring_frame;
  add(RangeKind::special, "xenstore ring", to_phys(xenstore_ring_frame), Bytes(page_size));
  add(RangeKind::special, "console ring", to_phys(console_ring_frame), Bytes(page_size));
  populate(to_phys(xenstore_ring_frame), Bytes(page_size));
  populate(to_phys(console_ring_frame), Bytes(page_size));
}

Result<void> Planner::check_segment(const std::string& what, PhysSpan segment) const {
  const auto clash = [&](const Zone& zone) {
    return fail(ErrorId::kernel_layout,
                fmt::format("{} lies over {} at {}", what, zone.words, show(zone.span)),
                std::string(zone.hint));
  };
  for (const Zone& zone : fixed_zones) {
    if (zone.span.meets(segment)) {
      return clash(zone);
    }
  }
  if (!start_.low.holds(segment) && !start_.high.holds(segment)) {
    return fail(ErrorId::guest_memory_too_small,
                fmt::format("{} lies beyond the guest's memory of {} MiB", what,
                            input_.memory.count() >> 20),
                fmt::format("give it memory = {} or more", memory_for(segment.end)));
  }
  if (has_bios_area_rsdp() && rsdp_zone.span.meets(segment)) {
    return clash(rsdp_zone);
  }
  return {};
}

Result<void> Planner::place_kernel() {
  for (std::size_t i = 0; i < input_.kernel.size(); ++i) {
    const LoadSegment& load = input_.kernel[i];
    const std::string what =
        fmt::format("'{}' cannot be loaded: its segment {}", input_.kernel_name, i);
    PhysSpan segment{load.start, load.start};
    if (!GuestPhys::checked_add(load.start, load.memory_size, segment.end)) {
      return fail(ErrorId::kernel_layout, what + " ends beyond 64 bits", elsewhere);
    }
    if (i > 0 && kernel_end_ > segment.start) {
      return fail(ErrorId::kernel_layout, what + " overlaps the one before it",
                  "copy or build the kernel anew");
    }
    XL_TRY(check_segment(fmt::format("{} ({})", what, show(segment)), segment));
    add(RangeKind::kernel, fmt::format("kernel segment {}", i), load.start, load.memory_size);
    kernel_end_ = segment.end;
  }
  for (const LoadSegment& load : input_.kernel) {
    free_.take({load.start, load.start + load.memory_size});
  }
  return {};
}

// As Xen's builder: in the next page after what was placed before. Where that does not fit,
// anywhere below it.
Result<GuestPhys> Planner::place(RangeKind kind, const std::string& name, Bytes size) {
  if (size == Bytes(0)) {
    return GuestPhys(0);
  }
  auto start = free_.first_fit(std::max(kernel_end_, first_usable), size);
  if (!start) {
    start = free_.first_fit(first_usable, size);
  }
  if (!start) {
    const Bytes used = kernel_end_ - GuestPhys(0);
    return fail(
        ErrorId::guest_memory_too_small,
        fmt::format("the guest's memory of {} MiB has no room for the {} of {} bytes beside "
                    "the kernel '{}'",
                    input_.memory.count() >> 20, name, size.count(), input_.kernel_name),
        size > hole_start - GuestPhys(0)
            ? "it has to lie below 4 GiB"
            : fmt::format("give it memory = {} or more", mib_up(used + size) + 1));
  }
  free_.take({*start, *start + size});
  add(kind, name, *start, size);
  return *start;
}

void Planner::finish() {
  if (has_bios_area_rsdp()) {
    map(ram_.low.start, rsdp_zone.span.start, XEN_HVM_MEMMAP_TYPE_RAM);
    map(rsdp_zone.span.start, rsdp_zone.span.end, XEN_HVM_MEMMAP_TYPE_ACPI);
    map(rsdp_zone.span.end, ram_.low.end, XEN_HVM_MEMMAP_TYPE_RAM);
  } else {
    map(ram_.low.start, ram_.low.end, XEN_HVM_MEMMAP_TYPE_RAM);
  }
  map(acpi_start, page_up(acpi_start + input_.acpi_size), XEN_HVM_MEMMAP_TYPE_ACPI);
  map(special_start, special_end, XEN_HVM_MEMMAP_TYPE_RESERVED);
  map(ram_.high.start, ram_.high.end, XEN_HVM_MEMMAP_TYPE_RAM);
  std::sort(layout_.extents.begin(), layout_.extents.end(),
            [](const hv::Extent& a, const hv::Extent& b) { return a.first < b.first; });
  for (const hv::Extent& extent : layout_.extents) {
    layout_.populated += extent.count;
  }
  if (is_on_demand()) {
    layout_.target = layout_.populated + Pages(input_.memory.count() >> page_shift) + input_.slack;
  }
  // Stable: what lies inside a stretch that starts at the same place was added after it.
  std::stable_sort(layout_.ranges.begin(), layout_.ranges.end(),
                   [](const Range& a, const Range& b) { return a.start < b.start; });
}

}  // namespace

Result<Layout> make_layout(const LayoutInput& input) {
  const Bytes memory = to_bytes(Pages(input.memory.count() >> page_shift));
  if (memory == Bytes(0) || memory > memory_limit) {
    return fail(ErrorId::memory_out_of_range,
                fmt::format("a guest cannot have {} bytes of memory", input.memory.count()));
  }
  if (input.acpi_size > acpi_space) {
    return fail(ErrorCode::internal,
                fmt::format("the ACPI tables take {} bytes, and there is room for {}",
                            input.acpi_size.count(), acpi_space.count()));
  }
  const Bytes most = to_bytes(Pages(input.max_memory.count() >> page_shift));
  return Planner(input, ram_of(memory), ram_of(std::clamp(most, memory, memory_limit))).plan();
}

}  // namespace xl::build
