// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/boot/start_info.hpp"

#include <xen/arch-x86/hvm/start_info.h>

#include <cstring>

namespace xl::build {

namespace {

static_assert(sizeof(hvm_start_info) == 56);
static_assert(sizeof(hvm_modlist_entry) == 32 && sizeof(hvm_memmap_table_entry) == 24);

// All parts but the last have a multiple of 8 bytes, so each starts aligned.
struct Offsets {
  std::size_t modules = sizeof(hvm_start_info);
  std::size_t map;
  std::size_t command_line;
  std::size_t end;

  Offsets(std::size_t command_line_size, bool initrd, std::size_t map_entries)
      : map(modules + (initrd ? sizeof(hvm_modlist_entry) : 0)),
        command_line(map + map_entries * sizeof(hvm_memmap_table_entry)),
        end(command_line + (command_line_size == 0 ? 0 : command_line_size + 1)) {}
};

template <typename T>
void put(std::vector<std::byte>& block, std::size_t at, const T& value) {
  std::memcpy(block.data() + at, &value, sizeof value);
}

}  // namespace

Bytes start_info_size(std::size_t command_line_size, bool initrd, std::size_t map_entries) {
  return Bytes(Offsets(command_line_size, initrd, map_entries).end);
}

std::vector<std::byte> make_start_info(const StartInfo& info, GuestPhys at) {
  const bool initrd = info.initrd != GuestPhys(0);
  const Offsets offsets(info.command_line.size(), initrd, info.memory_map.size());
  std::vector<std::byte> block(offsets.end);
  hvm_start_info head{};
  head.magic = XEN_HVM_START_MAGIC_VALUE;
  head.version = 1;
  head.rsdp_paddr = info.rsdp.value();
  head.memmap_paddr = at.value() + offsets.map;
  head.memmap_entries = static_cast<std::uint32_t>(info.memory_map.size());
  if (initrd) {
    head.nr_modules = 1;
    head.modlist_paddr = at.value() + offsets.modules;
    put(block, offsets.modules,
        hvm_modlist_entry{info.initrd.value(), info.initrd_size.count(), 0, 0});
  }
  std::size_t row = offsets.map;
  for (const hv::MemoryMapEntry& entry : info.memory_map) {
    put(block, row, hvm_memmap_table_entry{entry.start.value(), entry.size.count(), entry.type, 0});
    row += sizeof(hvm_memmap_table_entry);
  }
  if (!info.command_line.empty()) {
    head.cmdline_paddr = at.value() + offsets.command_line;
    std::memcpy(block.data() + offsets.command_line, info.command_line.data(),
                info.command_line.size());
  }
  put(block, 0, head);
  return block;
}

}  // namespace xl::build
