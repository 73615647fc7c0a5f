// SPDX-License-Identifier: Apache-2.0
// The domain's memory as the toolstack describes it, and a window on any of it.
#pragma once

#include "tests/guests/runtime/runtime.hpp"

namespace guest {

struct MapEntry {  // hvm_memmap_table_entry
  uint64_t address, size;
  uint32_t type;  // XEN_HVM_MEMMAP_TYPE_*, as E820
};

inline constexpr uint32_t type_ram = 1;

unsigned memory_map_entries();
MapEntry memory_map_entry(unsigned index);

// One to one below 4 GiB; above, mapped when first asked for (up to 64 GiB of it, below 512 GiB).
volatile uint64_t* at(uint64_t physical);

// True if the page belongs to the guest's image, start info, command line, a module, ACPI or a
// special page: it may not be overwritten, and it need not be zero.
bool is_occupied(uint64_t physical);

}  // namespace guest
