// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/memory.hpp"

#include <xen/arch-x86/hvm/start_info.h>

#include "hypervisor/abi/host_area.hpp"
#include "hypervisor/x86_64/instructions.hpp"
#include "hypervisor/x86_64/panic.hpp"

namespace hyp::x86 {

extern "C" {
extern const std::uint64_t start_info_address;
extern std::uint64_t pdpt[512];
extern std::uint64_t page_tables[1024];
extern const std::uint8_t image_end[];
}

namespace {

constexpr std::uint64_t large_rw_nx = 0xe3 | 1ULL << 63;
constexpr std::uint64_t gib_shift = 30;

template <typename T>
const T* at_physical(std::uint64_t address) {
  // SAFETY: the start info and its tables lie in identity-mapped RAM under 4 GiB, as its
  // specification says; the types are plain words.
  return reinterpret_cast<const T*>(address);
}

void add_range(RamMap& map, std::uint64_t start, std::uint64_t end) {
  const std::uint64_t floor = image_end_address().value();
  start = start < floor ? floor : start;
  start = (start + xl::page_size - 1) & ~(xl::page_size - 1);
  end &= ~(xl::page_size - 1);
  end = end > (512ULL << gib_shift) ? 512ULL << gib_shift : end;
  if (start < end && map.count < max_ram_ranges) {
    map.ranges[map.count++] = {xl::HostPhys(start), xl::Bytes(end - start)};
  }
}

}  // namespace

xl::HostPhys image_end_address() {
  // SAFETY: a linker symbol's address as a number.
  return xl::HostPhys(reinterpret_cast<std::uint64_t>(image_end));
}

RamMap read_memory_map() {
  RamMap map;
  const auto* info = at_physical<hvm_start_info>(start_info_address);
  if (info->magic != XEN_HVM_START_MAGIC_VALUE || info->version < 1) {
    panic("the boot loader gave no start info with a memory map (magic %x)",
          static_cast<std::uint64_t>(info->magic));
  }
  const auto* entries = at_physical<hvm_memmap_table_entry>(info->memmap_paddr);
  for (std::uint32_t i = 0; i < info->memmap_entries; ++i) {
    if (entries[i].type == XEN_HVM_MEMMAP_TYPE_RAM) {
      add_range(map, entries[i].addr, entries[i].addr + entries[i].size);
    }
  }
  if (map.count == 0) {
    panic("no RAM above the hypervisor");
  }
  return map;
}

void map_high_memory(const RamMap& map) {
  for (unsigned i = 0; i < map.count; ++i) {
    const std::uint64_t start = map.ranges[i].start.value();
    const std::uint64_t last = start + map.ranges[i].size.count() - 1;
    for (std::uint64_t slot = start >> gib_shift; slot <= last >> gib_shift; ++slot) {
      if (slot >= 4) {
        pdpt[slot] = slot << gib_shift | large_rw_nx;
      }
    }
  }
}

void unmap_image_page(xl::HostPhys page) {
  page_tables[(page.value() - xl::abi::image_address) >> xl::page_shift] = 0;
  flush_tlb();
}

}  // namespace hyp::x86
