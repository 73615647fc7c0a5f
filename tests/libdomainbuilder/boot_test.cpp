// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <xen/arch-x86/hvm/start_info.h>

#include <cstring>

#include "libdomainbuilder/boot/start_info.hpp"
#include "libdomainbuilder/image/bytes.hpp"

namespace xl::build {
namespace {

constexpr GuestPhys at{0x345000};

// A guest's view: addresses in the block are physical.
template <typename T>
T get(const std::vector<std::byte>& block, std::uint64_t address) {
  const auto value = ByteView(block).read<T>(address - at.value());
  EXPECT_TRUE(value);
  return value.value_or(T{});
}

const std::vector<hv::MemoryMapEntry> map{{GuestPhys(0), mib(64), 1},
                                          {GuestPhys(0xfeff8000), kib(32), 2}};

TEST(StartInfoTest, AGuestFindsEverything) {
  const auto block = make_start_info(
      {"console=hvc0 x=\"y\"", GuestPhys(0x200000), Bytes(12345), GuestPhys(0xfc000000), map}, at);
  EXPECT_EQ(Bytes(block.size()), start_info_size(18, true, map.size()));
  const auto head = get<hvm_start_info>(block, at.value());
  EXPECT_EQ(head.magic, 0x336ec578u);
  EXPECT_EQ(head.version, 1u);
  EXPECT_EQ(head.flags, 0u);
  EXPECT_EQ(head.reserved, 0u);
  EXPECT_EQ(head.rsdp_paddr, 0xfc000000u);
  EXPECT_EQ(head.nr_modules, 1u);
  const auto module = get<hvm_modlist_entry>(block, head.modlist_paddr);
  EXPECT_EQ(module.paddr, 0x200000u);
  EXPECT_EQ(module.size, 12345u);
  EXPECT_EQ(module.cmdline_paddr, 0u);
  EXPECT_EQ(module.reserved, 0u);
  ASSERT_EQ(head.memmap_entries, 2u);
  EXPECT_EQ(head.memmap_paddr % 8, 0u);
  const auto row =
      get<hvm_memmap_table_entry>(block, head.memmap_paddr + sizeof(hvm_memmap_table_entry));
  EXPECT_EQ(row.addr, 0xfeff8000u);
  EXPECT_EQ(row.size, 32u << 10);
  EXPECT_EQ(row.type, 2u);
  EXPECT_EQ(row.reserved, 0u);
  EXPECT_STREQ(reinterpret_cast<const char*>(block.data() + (head.cmdline_paddr - at.value())),
               "console=hvc0 x=\"y\"");
}

TEST(StartInfoTest, WhatIsNotThereIsZero) {
  const auto block = make_start_info({"", GuestPhys(0), Bytes(0), GuestPhys(0), {}}, at);
  EXPECT_EQ(block.size(), sizeof(hvm_start_info));
  const auto head = get<hvm_start_info>(block, at.value());
  EXPECT_EQ(head.nr_modules, 0u);
  EXPECT_EQ(head.modlist_paddr, 0u);
  EXPECT_EQ(head.cmdline_paddr, 0u);
  EXPECT_EQ(head.rsdp_paddr, 0u);
  EXPECT_EQ(head.memmap_entries, 0u);
}

// docs/misc/pvh: cs.base 0, cs.limit 0xffffffff, 32-bit read/execute; ds, es, ss the same and
// read/write; tr base 0, limit 0x67, busy 32-bit TSS; cr0 bit 0 set and no other writable bit; cr4
// zero; eflags VM, IF, TF clear; ebx start info.
TEST(EntryContextTest, IsWhatPvhDemands) {
  const hv::VcpuContext context = pvh_entry_context(GuestPhys(0x1000850), GuestPhys(0x3e00000));
  EXPECT_EQ(context.rip, 0x1000850u);
  EXPECT_EQ(context.rbx, 0x3e00000u);
  EXPECT_EQ(context.cr0 & ~0x10ULL, 1u);
  EXPECT_EQ(context.cr3 | context.cr4 | context.efer, 0u);
  EXPECT_EQ(context.rflags, 2u);
  EXPECT_EQ(context.cs.attributes, 0xc9b);
  for (const hv::Segment* segment : {&context.cs, &context.ds, &context.es, &context.ss}) {
    EXPECT_EQ(segment->base, 0u);
    EXPECT_EQ(segment->limit, 0xffffffffu);
  }
  for (const hv::Segment* segment : {&context.ds, &context.es, &context.ss}) {
    EXPECT_EQ(segment->attributes, 0xc93);
  }
  EXPECT_EQ(context.tr.attributes, 0x8b);
  EXPECT_EQ(context.tr.limit, 0x67u);
}

}  // namespace
}  // namespace xl::build
