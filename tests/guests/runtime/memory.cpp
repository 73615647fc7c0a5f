// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/runtime/memory.hpp"

extern "C" {
#include <xen/hvm/params.h>
}

extern "C" {
extern uint64_t guest_pml4[512];
extern unsigned char guest_start[], guest_end[];
}

namespace guest {

namespace {

constexpr uint64_t gib = 1ULL << 30;
alignas(4096) uint64_t directories_[64][512];
unsigned used_directories_;

bool within(uint64_t physical, uint64_t start, uint64_t size) {
  const uint64_t page = physical & ~0xfffULL;
  return size != 0 && page + 4096 > start && page < start + size;
}

uint64_t text_size(const char* text) {
  uint64_t size = 1;
  while (text[size - 1] != '\0') {
    ++size;
  }
  return size;
}

bool in_modules(uint64_t physical) {
  const auto* modules =
      reinterpret_cast<const hvm_modlist_entry*>(static_cast<Word>(start_info().modlist_paddr));
  for (unsigned i = 0; i < start_info().nr_modules; ++i) {
    if (within(physical, modules[i].paddr, modules[i].size)) {
      return true;
    }
  }
  return within(physical, start_info().modlist_paddr, start_info().nr_modules * sizeof *modules);
}

}  // namespace

unsigned memory_map_entries() {
  return start_info().memmap_entries;
}

MapEntry memory_map_entry(unsigned index) {
  const auto* entries =
      reinterpret_cast<const hvm_memmap_table_entry*>(static_cast<Word>(start_info().memmap_paddr));
  return {entries[index].addr, entries[index].size, entries[index].type};
}

volatile uint64_t* at(uint64_t physical) {
  auto* top = reinterpret_cast<uint64_t*>(guest_pml4[0] & ~0xfffULL);
  uint64_t& entry = top[physical / gib];
  if ((entry & 1) == 0) {
    check(used_directories_ < 64, "too much memory above 4 GiB");
    uint64_t* directory = directories_[used_directories_++];
    for (uint64_t i = 0; i < 512; ++i) {
      directory[i] = (physical & ~(gib - 1)) + (i << 21) + 0x83;
    }
    entry = address(directory) + 3;
  }
  return reinterpret_cast<volatile uint64_t*>(physical);
}

bool is_occupied(uint64_t physical) {
  const hvm_start_info& info = start_info();
  return within(physical, address(guest_start), address(guest_end) - address(guest_start)) ||
         within(physical, address(&info), sizeof info) ||
         within(physical, info.cmdline_paddr,
                info.cmdline_paddr == 0 ? 0 : text_size(command_line())) ||
         within(physical, info.memmap_paddr,
                info.memmap_entries * sizeof(hvm_memmap_table_entry)) ||
         in_modules(physical) || within(physical, hvm_param(HVM_PARAM_CONSOLE_PFN) << 12, 4096) ||
         within(physical, hvm_param(HVM_PARAM_STORE_PFN) << 12, 4096);
}

}  // namespace guest
