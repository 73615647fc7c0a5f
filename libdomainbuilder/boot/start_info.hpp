// SPDX-License-Identifier: Apache-2.0
// The PVH boot information (xen/arch-x86/hvm/start_info.h, version 1) with all that it points to,
// as one block of bytes: hvm_start_info, module list, memory map, command line.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/types.hpp"
#include "hypervisor-iface/hypervisor.hpp"

namespace xl::build {

struct StartInfo {
  std::string_view command_line;
  GuestPhys initrd;  // 0: no module
  Bytes initrd_size;
  GuestPhys rsdp;  // 0: no ACPI
  std::span<const hv::MemoryMapEntry> memory_map;
};

// Size of the block for a memory map of up to `map_entries` rows.
Bytes start_info_size(std::size_t command_line_size, bool initrd, std::size_t map_entries);

// The block, to be placed at `at`; start_info_size() bytes or fewer. `at` is what EBX shall hold.
std::vector<std::byte> make_start_info(const StartInfo& info, GuestPhys at);

// The state that the PVH ABI (docs/misc/pvh.pandoc) demands of vcpu 0: 32-bit protected mode
// without paging, flat segments.
hv::VcpuContext pvh_entry_context(GuestPhys entry, GuestPhys start_info);

}  // namespace xl::build
