// SPDX-License-Identifier: Apache-2.0
// Layout: the one description of a guest's physical address space. Every page that the builder
// populates or writes is placed here and nowhere else. A pure function of its input; addresses that
// Xen's tools fix are the same as theirs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libdomainbuilder/image/image.hpp"

namespace xl::build {

enum class RangeKind : std::uint8_t {
  ram,         // populated, free for the guest
  kernel,      // a LOAD segment; inside RAM
  initrd,      // inside RAM
  start_info,  // hvm_start_info with all that it points to; inside RAM
  special,     // populated, reserved in the map: xenstore, console
  acpi,        // populated, ACPI data in the map
  hole,        // not RAM: where Xen's platform devices are
};
std::string_view to_string(RangeKind kind);

struct Range {
  RangeKind kind = RangeKind::ram;
  std::string name;  // "low RAM", "kernel segment 2", "xenstore ring", ...
  GuestPhys start;
  Bytes size;  // as used; the pages that it touches are its own
};

// What a domain may have beyond its memory while its balloon driver gives back what it has too
// much: Linux clears each page before, in batches of 2 MiB whose pages need not lie together.
inline constexpr Pages on_demand_slack(4 << 8);

struct LayoutInput {
  Bytes memory;                         // RAM at start, whole pages
  std::span<const LoadSegment> kernel;  // ascending, without overlap
  Bytes initrd_size;                    // 0: none
  Bytes start_info_size;                // start info, module list, memory map, strings
  Bytes acpi_size;                      // 0: none
  bool bios_area_rsdp = false;          // see Layout::rsdp
  std::string kernel_name;              // for messages
  Bytes max_memory = Bytes(0);          // what the map shows as RAM, if it is more than memory
  Pages slack = on_demand_slack;        // if it is: what the domain may have beyond its memory
};

struct Layout {
  std::vector<Range> ranges;  // ascending by start; those inside RAM follow theirs
  std::vector<hv::Extent>
      extents;  // to populate: ascending, cut at 2 MiB and 1 GiB where that helps
  // RAM that gets its frames when it is touched; empty where memory is all that there is.
  std::vector<hv::Extent> on_demand;
  std::vector<hv::MemoryMapEntry> memory_map;  // ascending
  Pages populated;                             // sum of the extents
  Pages target;      // with on_demand: pages that the domain may have, `extents` among them
  GuestPhys initrd;  // 0: none
  GuestPhys start_info;
  GuestPhys acpi;  // 0: none; the RSDP lies first
  // The RSDP that start info names: `acpi`, or a copy in the last bytes of the first MiB. Old Linux
  // kernels (4.11 to 4.20; those without the feature linux_rsdp_unrestricted) look for it only
  // there. 0: no ACPI.
  GuestPhys rsdp;
  Gfn xenstore_ring;
  Gfn console_ring;
};

// The number of rows that the memory map will have at most: it decides the start info's size.
inline constexpr std::size_t max_memory_map_entries = 8;

// Errors: invalid_image when the kernel's segments lie outside RAM or over what is fixed; no_memory
// when the guest is too small for kernel and initrd, saying how much it needs.
Result<Layout> make_layout(const LayoutInput& input);

// A table for a person, one range a line, addresses in hex.
std::string describe(const Layout& layout);

}  // namespace xl::build
