// SPDX-License-Identifier: Apache-2.0
// The machine's memory: which of it is RAM, and the hypervisor's own mapping of it. All RAM is
// identity-mapped, never executable; the image's pages each have one of read-execute, read,
// read-write (boot.S).
#pragma once

#include <cstdint>

#include "base/types.hpp"

namespace hyp::x86 {

struct RamRange {
  xl::HostPhys start;
  xl::Bytes size;
};

inline constexpr unsigned max_ram_ranges = 16;
struct RamMap {
  RamRange ranges[max_ram_ranges];
  unsigned count = 0;
};

// RAM above the host area, from the boot loader's start info, rounded inwards to pages, the
// hypervisor's image cut out. Panics if there is none. Call it before anything else is put below 1
// MiB: the start info may lie there.
RamMap read_memory_map();

// Extends the identity map, which boot.S made for the first 4 GiB, over this RAM.
void map_high_memory(const RamMap& map);

// One 4 KiB page inside the image; this CPU's TLB only.
void unmap_image_page(xl::HostPhys page);

// First byte after the image.
xl::HostPhys image_end_address();

}  // namespace hyp::x86
