// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/layout/layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "libdomainbuilder/layout/addresses.hpp"
#include "libdomainbuilder/layout/free_ram.hpp"

namespace xl::build {
namespace {

struct Guest {
  Bytes memory = mib(64);
  std::vector<LoadSegment> kernel{{GuestPhys(0x100000), Bytes(0x5000)}};
  Bytes initrd;
  Bytes start_info = Bytes(300);
  Bytes acpi = Bytes(564);
  bool bios_area_rsdp = false;
  Bytes max_memory;

  Result<Layout> plan() const {
    return make_layout({memory, kernel, initrd, start_info, acpi, bios_area_rsdp, "k", max_memory});
  }
  std::string fault() const {
    const auto layout = plan();
    return layout ? std::string() : describe(layout.error());
  }
};

std::vector<std::pair<std::uint64_t, std::uint64_t>> map_of(const Layout& layout,
                                                            std::uint32_t type) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> rows;
  for (const auto& entry : layout.memory_map) {
    if (entry.type == type) {
      rows.emplace_back(entry.start.value(), (entry.start + entry.size).value());
    }
  }
  return rows;
}

using Rows = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

// What must hold for every layout, whatever is in it.
void check_invariants(const Layout& layout, Bytes memory) {
  Pages total;
  for (std::size_t i = 0; i < layout.extents.size(); ++i) {
    const hv::Extent& extent = layout.extents[i];
    EXPECT_GT(extent.count, Pages(0));
    total += extent.count;
    if (i > 0) {
      EXPECT_LE(layout.extents[i - 1].first + layout.extents[i - 1].count, extent.first);
    }
  }
  EXPECT_EQ(total, layout.populated);
  EXPECT_LE(layout.memory_map.size(), max_memory_map_entries);
  Bytes ram;
  for (std::size_t i = 0; i < layout.memory_map.size(); ++i) {
    const auto& entry = layout.memory_map[i];
    EXPECT_EQ(entry.start.value() % page_size, 0u);
    EXPECT_EQ(entry.size.count() % page_size, 0u);
    EXPECT_GT(entry.size, Bytes(0));
    if (i > 0) {
      EXPECT_LE(layout.memory_map[i - 1].start + layout.memory_map[i - 1].size, entry.start);
    }
    ram += entry.type == 1 ? entry.size : Bytes(0);
  }
  EXPECT_GE(ram + Bytes(page_size), memory);  // all but perhaps the page of the root pointer
  const auto populated = [&](GuestPhys at) {
    return std::any_of(layout.extents.begin(), layout.extents.end(), [&](const hv::Extent& extent) {
      return to_gfn(at) >= extent.first && to_gfn(at) < extent.first + extent.count;
    });
  };
  std::vector<PhysSpan> used;
  for (const Range& range : layout.ranges) {
    if (range.kind == RangeKind::hole) {
      continue;
    }
    EXPECT_TRUE(populated(range.start)) << range.name;
    EXPECT_TRUE(populated(range.start + range.size - Bytes(1))) << range.name;
    if (range.kind == RangeKind::ram) {
      continue;
    }
    const PhysSpan span{range.start, range.start + range.size};
    for (const PhysSpan& other : used) {
      EXPECT_FALSE(other.meets(span)) << range.name;
    }
    used.push_back(span);
  }
}

TEST(LayoutTest, PlacesXenKnows) {
  const auto layout = Guest{.initrd = Bytes(5000)}.plan();
  ASSERT_TRUE(layout) << describe(layout.error());
  check_invariants(*layout, mib(64));
  EXPECT_EQ(layout->xenstore_ring, Gfn(0xfeffc));
  EXPECT_EQ(layout->console_ring, Gfn(0xfefff));
  EXPECT_EQ(layout->acpi, GuestPhys(0xfc000000));
  EXPECT_EQ(layout->rsdp, GuestPhys(0xfc000000));
  EXPECT_EQ(layout->initrd, GuestPhys(0x105000));
  EXPECT_EQ(layout->start_info, GuestPhys(0x107000));
  EXPECT_EQ(map_of(*layout, 1), (Rows{{0, 64 << 20}}));
  EXPECT_EQ(map_of(*layout, 2), (Rows{{0xfeff8000, 0xff000000}}));
  EXPECT_EQ(map_of(*layout, 3), (Rows{{0xfc000000, 0xfc001000}}));
  EXPECT_EQ(layout->populated, Pages((64 << 8) + 3));
  // One extent for all RAM: the hypervisor backs it with the largest pages.
  EXPECT_EQ(layout->extents[0].first, Gfn(0));
  EXPECT_EQ(layout->extents[0].count, Pages(64 << 8));
}

TEST(LayoutTest, RamAroundTheHole) {
  for (const Bytes memory : {mib(4031), mib(4032), mib(4033), gib(6), gib(1000)}) {
    const auto layout = Guest{.memory = memory}.plan();
    ASSERT_TRUE(layout) << describe(layout.error());
    check_invariants(*layout, memory);
    const std::uint64_t low = std::min<std::uint64_t>(memory.count(), 0xfc000000);
    const std::uint64_t high = memory.count() - low;
    Rows expected{{0, low}};
    if (high != 0) {
      expected.emplace_back(0x100000000, 0x100000000 + high);
    }
    EXPECT_EQ(map_of(*layout, 1), expected);
  }
}

TEST(LayoutTest, MapCoversMaxmemOnDemand) {
  const auto layout = Guest{.memory = mib(256), .initrd = mib(3), .max_memory = gib(5)}.plan();
  ASSERT_TRUE(layout) << describe(layout.error());
  EXPECT_EQ(map_of(*layout, 1),
            (Rows{{0, 0xfc000000}, {0x100000000, 0x100000000 + (5ULL << 30) - 0xfc000000}}));
  ASSERT_EQ(layout->on_demand.size(), 2U);
  EXPECT_EQ(layout->on_demand[0].first, Gfn(0));
  EXPECT_EQ(layout->on_demand[0].count + layout->on_demand[1].count, Pages(5 << 18));
  EXPECT_EQ(layout->populated, Pages(3)) << "the special pages";
  EXPECT_EQ(layout->target, Pages((256 << 8) + 3) + on_demand_slack);
  EXPECT_EQ(layout->initrd, GuestPhys(0x105000)) << "as without";
  EXPECT_NE(describe(*layout).find("on demand"), std::string::npos);
}

TEST(LayoutTest, WhatIsBuiltLiesWithinMemory) {
  const auto fault = Guest{.memory = mib(16), .initrd = mib(20), .max_memory = gib(1)}.fault();
  EXPECT_NE(fault.find("16 MiB has no room for the initrd"), std::string::npos) << fault;
  const Guest kernel{.memory = mib(16),
                     .kernel = {{GuestPhys(20 << 20), Bytes(0x1000)}},
                     .max_memory = gib(1)};
  EXPECT_NE(kernel.fault().find("beyond the guest's memory of 16 MiB"), std::string::npos);
}

TEST(LayoutTest, NoMoreThanMemoryIsNotOnDemand) {
  for (const Bytes most : {Bytes(0), mib(32), mib(64)}) {
    const auto layout = Guest{.max_memory = most}.plan();
    ASSERT_TRUE(layout);
    EXPECT_TRUE(layout->on_demand.empty());
    EXPECT_EQ(layout->populated, Pages((64 << 8) + 3));
  }
}

TEST(LayoutTest, WithoutAcpi) {
  const auto layout = Guest{.acpi = Bytes(0)}.plan();
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->acpi, GuestPhys(0));
  EXPECT_EQ(layout->rsdp, GuestPhys(0));
  EXPECT_TRUE(map_of(*layout, 3).empty());
  EXPECT_EQ(layout->populated, Pages((64 << 8) + 2));
}

TEST(LayoutTest, RootPointerForOldLinux) {
  const auto layout = Guest{.bios_area_rsdp = true}.plan();
  ASSERT_TRUE(layout);
  check_invariants(*layout, mib(64));
  EXPECT_EQ(layout->rsdp, GuestPhys(0xfffc0));
  EXPECT_EQ(map_of(*layout, 1), (Rows{{0, 0xff000}, {0x100000, 64 << 20}}));
  EXPECT_EQ(map_of(*layout, 3), (Rows{{0xff000, 0x100000}, {0xfc000000, 0xfc001000}}));
  const Guest over{.kernel = {{GuestPhys(0xff800), Bytes(16)}}, .bios_area_rsdp = true};
  EXPECT_NE(over.fault().find("lies over the ACPI root pointer"), std::string::npos)
      << over.fault();
}

TEST(LayoutTest, OneMegabyteIsEnoughForATinyGuest) {
  const auto layout =
      Guest{.memory = mib(1), .kernel = {{GuestPhys(0x10000), Bytes(0x3000)}}, .initrd = Bytes(1)}
          .plan();
  ASSERT_TRUE(layout) << describe(layout.error());
  check_invariants(*layout, mib(1));
  EXPECT_EQ(layout->initrd, GuestPhys(0x13000));
}

// A kernel at the end of its RAM: the rest goes below it, and never to address 0, which means
// "none".
TEST(LayoutTest, BelowTheKernelWhenAboveIsFull) {
  const auto layout = Guest{.memory = mib(2),
                            .kernel = {{GuestPhys(0x100000), Bytes(0x100000)}},
                            .initrd = Bytes(100)}
                          .plan();
  ASSERT_TRUE(layout) << describe(layout.error());
  check_invariants(*layout, mib(2));
  EXPECT_EQ(layout->initrd, GuestPhys(0x1000));
  EXPECT_EQ(layout->start_info, GuestPhys(0x2000));
}

TEST(LayoutTest, KernelAtZero) {
  const auto layout = Guest{.kernel = {{GuestPhys(0), Bytes(0x2345)}}}.plan();
  ASSERT_TRUE(layout);
  check_invariants(*layout, mib(64));
  EXPECT_EQ(layout->start_info, GuestPhys(0x3000));
}

TEST(LayoutTest, SegmentsMayShareAPage) {
  const auto layout =
      Guest{.kernel = {{GuestPhys(0x100000), Bytes(0x800)}, {GuestPhys(0x100800), Bytes(0x10)}}}
          .plan();
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->start_info, GuestPhys(0x101000));
}

TEST(LayoutTest, NotEnoughMemory) {
  EXPECT_EQ(
      (Guest{.memory = mib(32), .kernel = {{GuestPhys(0x1000000), Bytes(0x2e00000)}}}.fault()),
      "'k' cannot be loaded: its segment 0 (0x1000000-0x3e00000) lies beyond the guest's "
      "memory of 32 MiB; give it memory = 62 or more");
  const std::string initrd = Guest{.memory = mib(8), .initrd = mib(8)}.fault();
  EXPECT_NE(initrd.find("no room for the initrd of 8388608 bytes"), std::string::npos) << initrd;
  EXPECT_NE(initrd.find("give it memory = 11 or more"), std::string::npos) << initrd;
  EXPECT_EQ((Guest{.memory = mib(8), .initrd = gib(5)}.fault().find("give it memory")),
            std::string::npos);
}

TEST(LayoutTest, SegmentsInImpossiblePlaces) {
  const std::pair<LoadSegment, std::string_view> cases[] = {
      {{GuestPhys(0xfeffb000), Bytes(0x1001)}, "lies over the special pages"},
      {{GuestPhys(0xfee00000), Bytes(1)}, "lies over the local APIC"},
      {{GuestPhys(0xfc000fff), Bytes(1)}, "lies over the place of the ACPI tables"},
      {{GuestPhys(0xff000000), Bytes(1)}, "lies over the hole below 4 GiB"},
      {{GuestPhys(0xfbfff000), Bytes(0x1001)}, "lies over the place of the ACPI tables"},
      {{GuestPhys(0), Bytes(0x200000000)}, "lies over the special pages"},
      {{GuestPhys(0x200000000), Bytes(1)},
       "lies beyond the guest's memory of 8128 MiB; give it memory = 8129 or more"},
      {{GuestPhys(~0ULL), Bytes(1)}, "ends beyond 64 bits"},
      {{GuestPhys(~0ULL - 10), Bytes(100)}, "ends beyond 64 bits"},
      {{GuestPhys(1), Bytes(~0ULL)}, "ends beyond 64 bits"},
      {{GuestPhys(0), Bytes(~0ULL)}, "lies over"},
  };
  for (const auto& [segment, words] : cases) {
    const std::string fault = Guest{.memory = mib(8128), .kernel = {segment}}.fault();
    EXPECT_NE(fault.find(words), std::string::npos) << fault << " / " << words;
  }
}

TEST(LayoutTest, KernelAboveFourGigabytes) {
  const auto layout =
      Guest{.memory = gib(8), .kernel = {{GuestPhys(0x140000000), Bytes(0x1000)}}}.plan();
  ASSERT_TRUE(layout) << describe(layout.error());
  EXPECT_LT(layout->start_info, hole_start);
}

TEST(LayoutTest, OverlapsAreCaughtHereToo) {
  const Guest guest{
      .kernel = {{GuestPhys(0x100000), Bytes(0x1001)}, {GuestPhys(0x101000), Bytes(1)}}};
  EXPECT_NE(guest.fault().find("segment 1 overlaps"), std::string::npos);
}

TEST(LayoutTest, ImpossibleMemory) {
  for (const Bytes memory : {Bytes(0), Bytes(4095), Bytes(~0ULL), Bytes(1ULL << 60)}) {
    const auto layout = Guest{.memory = memory}.plan();
    ASSERT_FALSE(layout);
    EXPECT_EQ(layout.error().code, ErrorCode::invalid_argument);
  }
  EXPECT_FALSE((Guest{.initrd = Bytes(~0ULL)}.plan()));
  EXPECT_FALSE((Guest{.acpi = mib(1)}.plan()));
}

TEST(LayoutTest, Describes) {
  const std::string text = describe(*Guest{.initrd = Bytes(5000)}.plan());
  for (const std::string_view words :
       {"0x00000000000-0x00004000000        64 MiB  RAM\n", "kernel segment 0", "initrd",
        "start info", "console ring", "xenstore ring", "ACPI tables", "ACPI data", "reserved",
        "populated: 16387 pages"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
}

TEST(FreeRamTest, FirstFit) {
  FreeRam ram({GuestPhys(0), GuestPhys(0x10000)});
  EXPECT_EQ(ram.first_fit(GuestPhys(1), Bytes(1)), GuestPhys(0x1000));
  ram.take({GuestPhys(0x2001), GuestPhys(0x2002)});
  ram.take({GuestPhys(0x1000), GuestPhys(0x2800)});
  EXPECT_EQ(ram.first_fit(GuestPhys(0), Bytes(0x1000)), GuestPhys(0));
  EXPECT_EQ(ram.first_fit(GuestPhys(0), Bytes(0x1001)), GuestPhys(0x3000));
  EXPECT_EQ(ram.first_fit(GuestPhys(0), Bytes(0xd000)), GuestPhys(0x3000));
  EXPECT_EQ(ram.first_fit(GuestPhys(0), Bytes(0xd001)), std::nullopt);
  EXPECT_EQ(ram.first_fit(GuestPhys(0), Bytes(~0ULL)), std::nullopt);
  EXPECT_EQ(ram.first_fit(GuestPhys(0x20000), Bytes(1)), std::nullopt);
}

}  // namespace
}  // namespace xl::build
