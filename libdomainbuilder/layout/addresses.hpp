// SPDX-License-Identifier: Apache-2.0
// Fixed places in a PVH guest's physical address space: those that Xen's toolstack uses
// (tools/include/xenguest.h, xen/include/public/hvm/hvm_info_table.h and e820.h of Xen 4.17), so
// that guests find here what they find there.
#pragma once

#include "base/types.hpp"

namespace xl::build {

// No RAM in [hole_start, hole_end): ACPI tables, special pages and the local APIC are there.
inline constexpr GuestPhys hole_start{0xfc000000};  // ACPI_INFO_PHYSICAL_ADDRESS
inline constexpr GuestPhys hole_end{0x100000000};
inline constexpr GuestPhys acpi_start = hole_start;
inline constexpr Bytes acpi_space =
    kib(4 * 17);  // Xen's own reservation, one info page and 16 of tables
inline constexpr GuestPhys lapic_page{0xfee00000};  // LAPIC_BASE_ADDRESS

// X86_HVM_NR_SPECIAL_PAGES below X86_HVM_END_SPECIAL_REGION. Only two of the eight exist here: the
// others serve a device model, paging and introspection, or CPUs that need an identity page table.
inline constexpr GuestPhys special_start{0xfeff8000};
inline constexpr GuestPhys special_end{0xff000000};
inline constexpr Gfn xenstore_ring_frame{0xfeffc};
inline constexpr Gfn console_ring_frame{0xfefff};

// ACPI's search looks here for the RSDP: libxl puts it into the last 64 bytes of the first MiB.
inline constexpr GuestPhys bios_area_rsdp_start{0x100000 - 64};

static_assert(hole_start < lapic_page && lapic_page < special_start && special_end < hole_end);
static_assert(acpi_start + acpi_space < lapic_page);
static_assert(to_phys(xenstore_ring_frame) >= special_start &&
              to_phys(console_ring_frame) < special_end);

}  // namespace xl::build
