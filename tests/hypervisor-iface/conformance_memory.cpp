// SPDX-License-Identifier: Apache-2.0
// Memory: populate, map, copy.
#include <algorithm>
#include <random>

#include "tests/hypervisor-iface/conformance.hpp"

namespace xl::hv {
namespace {

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(random());
  }
  return bytes;
}

TEST_F(Conformance, PopulatedFramesAreCountedAndZero) {
  const DomId domain = make_domain(Pages(0));
  ASSERT_TRUE(ok(hv().set_max_memory(domain, Pages(5000))));
  const Extent extents[] = {{Gfn(0), Pages(3000)}, {Gfn(0x100000), Pages(1000)}};
  ASSERT_TRUE(ok(hv().populate_physmap(domain, extents)));
  EXPECT_EQ(hv().domain_info(domain)->memory, Pages(4000));
  for (const Extent& extent : extents) {
    const auto mapping = hv().map_frames(domain, extent);
    ASSERT_TRUE(ok(mapping));
    Gfn next = extent.first;
    for (const MappedSegment& segment : mapping->segments()) {
      EXPECT_EQ(segment.first, next);
      EXPECT_TRUE(std::all_of(segment.bytes.begin(), segment.bytes.end(),
                              [](std::byte byte) { return byte == std::byte{}; }));
      next += Pages(segment.bytes.size() >> page_shift);
    }
    EXPECT_EQ(next, extent.first + extent.count);
  }
}

TEST_F(Conformance, FreedFramesComeBackZero) {
  for (int round = 0; round < 3; ++round) {
    const DomId domain = make_domain(Pages(2048));
    const auto mapping = hv().map_frames(domain, {Gfn(0), Pages(2048)});
    ASSERT_TRUE(ok(mapping));
    for (const MappedSegment& segment : mapping->segments()) {
      ASSERT_TRUE(std::all_of(segment.bytes.begin(), segment.bytes.end(),
                              [](std::byte byte) { return byte == std::byte{}; }));
      std::fill(segment.bytes.begin(), segment.bytes.end(), std::byte{0x5a});
    }
    destroy(domain);
  }
}

TEST_F(Conformance, PopulateRefusesNonsenseAndChangesNothing) {
  const DomId domain = make_domain(Pages(64));
  ASSERT_TRUE(ok(hv().set_max_memory(domain, Pages(10'000))));
  const Extent cases[][2] = {
      {{Gfn(100), Pages(1)}, {Gfn(63), Pages(2)}},          // overlaps what is there
      {{Gfn(100), Pages(10)}, {Gfn(105), Pages(1)}},        // overlaps itself
      {{Gfn(100), Pages(1)}, {Gfn(200), Pages(0)}},         // empty
      {{Gfn(100), Pages(1)}, {Gfn(1ULL << 36), Pages(1)}},  // outside of any guest's address space
      {{Gfn(100), Pages(1)}, {Gfn(~0ULL), Pages(2)}},       // wraps
      {{Gfn(100), Pages(1)}, {Gfn(5), Pages(~0ULL)}},
  };
  for (const auto& extents : cases) {
    EXPECT_TRUE(fails(hv().populate_physmap(domain, extents), ErrorCode::invalid_argument))
        << extents[1].first.value();
    EXPECT_EQ(hv().domain_info(domain)->memory, Pages(64));
    EXPECT_FALSE(hv().map_frames(domain, {Gfn(100), Pages(1)}));
  }
}

TEST_F(Conformance, PopulateStopsAtTheDomainsMaximum) {
  const DomId domain = make_domain(Pages(64));
  ASSERT_TRUE(ok(hv().set_max_memory(domain, Pages(100))));
  const Extent too_much{Gfn(64), Pages(37)};
  EXPECT_TRUE(fails(hv().populate_physmap(domain, std::span(&too_much, 1)), ErrorCode::no_memory));
  const Extent fits{Gfn(64), Pages(36)};
  EXPECT_TRUE(ok(hv().populate_physmap(domain, std::span(&fits, 1))));
}

TEST_F(Conformance, PopulateStopsAtTheHostsMemory) {
  const auto info = hv().host_info();
  ASSERT_TRUE(ok(info));
  const DomId domain = make_domain(Pages(0));
  const Pages more = info->total_memory + Pages(1);
  ASSERT_TRUE(ok(hv().set_max_memory(domain, more)));
  const Extent extent{Gfn(0), more};
  EXPECT_TRUE(fails(hv().populate_physmap(domain, std::span(&extent, 1)), ErrorCode::no_memory));
  EXPECT_EQ(hv().domain_info(domain)->memory, Pages(0));
}

TEST_F(Conformance, AlmostAllMemoryCanBeUsedAgainAndAgain) {
  const Pages most = hv().host_info()->free_memory - Pages(4096);
  for (int round = 0; round < 3; ++round) {
    const DomId domain = make_domain(Pages(0));
    ASSERT_TRUE(ok(hv().set_max_memory(domain, most)));
    const Extent extent{Gfn(0), most};
    ASSERT_TRUE(ok(hv().populate_physmap(domain, std::span(&extent, 1)))) << "round " << round;
    destroy(domain);
  }
}

TEST_F(Conformance, MappingRefusesHoles) {
  const DomId domain = make_domain(Pages(64));
  EXPECT_TRUE(fails(hv().map_frames(domain, {Gfn(0), Pages(65)}), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().map_frames(domain, {Gfn(64), Pages(1)}), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().map_frames(domain, {Gfn(0), Pages(0)}), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().map_frames(domain, {Gfn(~0ULL), Pages(2)}), ErrorCode::invalid_argument));
  EXPECT_TRUE(ok(hv().map_frames(domain, {Gfn(63), Pages(1)})));
}

TEST_F(Conformance, CopiesCrossFrameAndChunkBoundaries) {
  const DomId domain = make_domain(Pages(2048));
  const std::vector<std::byte> data = random_bytes(100'001);
  const GuestPhys at(0x1fff7f);
  ASSERT_TRUE(ok(hv().copy_to_guest(domain, at, data)));
  std::vector<std::byte> back(data.size());
  ASSERT_TRUE(ok(hv().copy_from_guest(domain, at, back)));
  EXPECT_EQ(back, data);
  const auto mapping = hv().map_frames(domain, {Gfn(0), Pages(2048)});
  ASSERT_TRUE(ok(mapping));
  std::fill(back.begin(), back.end(), std::byte{});
  ASSERT_TRUE(ok(mapping->read(at, back)));
  EXPECT_EQ(back, data);
}

TEST_F(Conformance, CopyOutsideOfMemoryWritesNothing) {
  const DomId domain = make_domain(Pages(64));
  const std::vector<std::byte> data(20'000, std::byte{7});
  const GuestPhys near_end(64 * page_size - 10'000);
  EXPECT_TRUE(fails(hv().copy_to_guest(domain, near_end, data), ErrorCode::invalid_argument));
  std::vector<std::byte> back(10'000);
  ASSERT_TRUE(ok(hv().copy_from_guest(domain, near_end, back)));
  EXPECT_TRUE(std::all_of(back.begin(), back.end(), [](std::byte b) { return b == std::byte{}; }));
  EXPECT_TRUE(fails(hv().copy_to_guest(domain, GuestPhys(~0ULL), std::span(data).first(2)),
                    ErrorCode::invalid_argument));
  EXPECT_TRUE(
      fails(hv().copy_from_guest(domain, GuestPhys(64 * page_size - 1), std::span(back).first(2)),
            ErrorCode::invalid_argument));
  EXPECT_TRUE(ok(hv().copy_to_guest(domain, GuestPhys(~0ULL), {})));  // nothing to copy
}

TEST_F(Conformance, MappingOutlivesTheDomain) {
  const DomId domain = make_domain(Pages(16));
  const auto mapping = hv().map_frames(domain, {Gfn(0), Pages(16)});
  ASSERT_TRUE(ok(mapping));
  destroy(domain);
  std::byte byte{};
  EXPECT_TRUE(ok(mapping->read(GuestPhys(0), std::span(&byte, 1))));
}

TEST_F(Conformance, MemoryOnDemandIsSetAsideAndComesWhenItIsTouched) {
  const DomId domain = make_domain(Pages(0));
  const Pages more(4096);
  ASSERT_TRUE(ok(hv().set_max_memory(domain, more + more)));
  const Pages free_before = hv().host_info()->free_memory;
  const Extent special{Gfn(0x100000), Pages(4)};
  ASSERT_TRUE(ok(hv().populate_physmap(domain, std::span(&special, 1))));
  const Extent ram{Gfn(0), more};
  ASSERT_TRUE(ok(hv().populate_on_demand(domain, std::span(&ram, 1), Pages(1028))));
  auto info = hv().domain_info(domain);
  ASSERT_TRUE(ok(info));
  EXPECT_EQ(info->memory, Pages(4));
  EXPECT_EQ(info->on_demand, Pages(1024));
  EXPECT_LE(hv().host_info()->free_memory + Pages(1028), free_before + noise());

  const auto bytes = random_bytes(3 * page_size);
  ASSERT_TRUE(ok(hv().copy_to_guest(domain, GuestPhys(600 * page_size + 5), bytes)));
  std::vector<std::byte> back(bytes.size());
  ASSERT_TRUE(ok(hv().copy_from_guest(domain, GuestPhys(600 * page_size + 5), back)));
  EXPECT_EQ(back, bytes);
  const auto mapping = hv().map_frames(domain, {Gfn(0), Pages(8)});
  ASSERT_TRUE(ok(mapping));
  EXPECT_EQ(mapping->segments().front().bytes[0], std::byte{});
  info = hv().domain_info(domain);
  EXPECT_GE(info->memory, Pages(4 + 4 + 8));
  EXPECT_EQ(info->memory + info->on_demand, Pages(1028));
}

TEST_F(Conformance, WhatIsThereOfMemoryOnDemandIsToldAndNothingIsGivenForThat) {
  const DomId other = make_domain(Pages(4096));  // has the same frames, all of them
  const DomId domain = make_domain(Pages(0));
  ASSERT_TRUE(ok(hv().set_max_memory(domain, Pages(8192))));
  const Extent special{Gfn(0x100000), Pages(4)};
  ASSERT_TRUE(ok(hv().populate_physmap(domain, std::span(&special, 1))));
  const Extent ram{Gfn(0), Pages(4096)};
  ASSERT_TRUE(ok(hv().populate_on_demand(domain, std::span(&ram, 1), Pages(2048))));
  for (const std::uint64_t frame : {0U, 700U, 701U, 1500U, 4095U}) {
    const auto bytes = random_bytes(frame + 1);
    ASSERT_TRUE(ok(hv().copy_to_guest(domain, to_phys(Gfn(frame)), std::span(bytes).first(1))));
    const auto before = hv().domain_info(domain);
    ASSERT_TRUE(ok(before));
    const auto found = hv().populated_extents(domain);
    ASSERT_TRUE(ok(found));
    Pages sum;
    for (const Extent& extent : *found) {
      EXPECT_TRUE(ok(hv().map_frames(domain, extent))) << extent.first.value();
      sum += extent.count;
    }
    const auto has = [&](Gfn wanted) {
      return std::any_of(found->begin(), found->end(), [&](const Extent& extent) {
        return extent.first <= wanted && wanted < extent.first + extent.count;
      });
    };
    EXPECT_TRUE(has(Gfn(frame)) && has(special.first) && has(special.first + Pages(3)));
    EXPECT_EQ(sum, before->memory);
    const auto after = hv().domain_info(domain);
    ASSERT_TRUE(ok(after));
    EXPECT_EQ(after->memory, before->memory);
    EXPECT_EQ(after->on_demand, before->on_demand);
  }
  const auto all = hv().populated_extents(other);
  ASSERT_TRUE(ok(all));
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().count, Pages(4096));
}

TEST_F(Conformance, WhatIsThereCanBeMappedWhenNothingIsLeftToGive) {
  const DomId domain = make_domain(Pages(0));
  ASSERT_TRUE(ok(hv().set_max_memory(domain, Pages(8192))));
  const Extent ram{Gfn(0), Pages(4096)};
  ASSERT_TRUE(ok(hv().populate_on_demand(domain, std::span(&ram, 1), Pages(512))));
  ASSERT_TRUE(ok(hv().map_frames(domain, {Gfn(1024), Pages(512)})));
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(ok(hv().map_frames(domain, {Gfn(1024), Pages(512)})));
    EXPECT_TRUE(ok(hv().map_frames(domain, {Gfn(1500), Pages(1)})));
    EXPECT_TRUE(fails(hv().map_frames(domain, {Gfn(1535), Pages(2)}), ErrorCode::no_memory));
    EXPECT_TRUE(fails(hv().map_frames(domain, {Gfn(0), Pages(1)}), ErrorCode::no_memory));
    const auto found = hv().populated_extents(domain);
    ASSERT_TRUE(ok(found));
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().first, Gfn(1024));
    EXPECT_EQ(found->front().count, Pages(512));
  }
  const auto info = hv().domain_info(domain);
  ASSERT_TRUE(ok(info));
  EXPECT_FALSE(info->shutdown);
  EXPECT_EQ(info->memory, Pages(512));
  ASSERT_TRUE(ok(hv().set_memory_target(domain, Pages(513), Excess::keep)));
  EXPECT_TRUE(ok(hv().map_frames(domain, {Gfn(1535), Pages(2)})));
  EXPECT_TRUE(ok(hv().map_frames(domain, {Gfn(1024), Pages(513)})));
}

TEST_F(Conformance, MemoryOnDemandEndsAtTheTarget) {
  const DomId domain = make_domain(Pages(0));
  ASSERT_TRUE(ok(hv().set_max_memory(domain, Pages(8192))));
  const Extent ram{Gfn(0), Pages(4096)};
  ASSERT_TRUE(ok(hv().populate_on_demand(domain, std::span(&ram, 1), Pages(512))));
  ASSERT_TRUE(ok(hv().map_frames(domain, {Gfn(0), Pages(512)})));
  EXPECT_TRUE(fails(hv().map_frames(domain, {Gfn(512), Pages(1)}), ErrorCode::no_memory));
  ASSERT_TRUE(ok(hv().set_memory_target(domain, Pages(1024), Excess::keep)));
  EXPECT_TRUE(ok(hv().map_frames(domain, {Gfn(512), Pages(1)})));
  EXPECT_TRUE(fails(hv().populate_on_demand(domain, std::span(&ram, 1), Pages(512)),
                    ErrorCode::invalid_argument))
      << "twice";
}

TEST_F(Conformance, WhatIsPromisedBeyondALowerTargetIsKeptOrWithdrawn) {
  const DomId domain = make_domain(Pages(0));
  ASSERT_TRUE(ok(hv().set_max_memory(domain, Pages(8192))));
  const Extent ram{Gfn(0), Pages(4096)};
  const Pages before = hv().host_info()->free_memory;
  ASSERT_TRUE(ok(hv().populate_on_demand(domain, std::span(&ram, 1), Pages(4096))));
  EXPECT_LE(hv().host_info()->free_memory, before + noise() - Pages(4096));
  ASSERT_TRUE(ok(hv().set_memory_target(domain, Pages(1024), Excess::keep)));
  EXPECT_EQ(hv().domain_info(domain)->on_demand, Pages(4096));
  ASSERT_TRUE(ok(hv().set_memory_target(domain, Pages(1024), Excess::withdraw)));
  if (!traits().withdraws_memory) {
    EXPECT_EQ(hv().domain_info(domain)->on_demand, Pages(4096));
    return;
  }
  EXPECT_EQ(hv().domain_info(domain)->on_demand, Pages(1024));
  EXPECT_GE(hv().host_info()->free_memory, before - Pages(2048));
}

TEST_F(Conformance, ThereIsNoPromiseThatTheHostCannotKeep) {
  const DomId domain = make_domain(Pages(0));
  const Pages all = hv().host_info()->total_memory;
  ASSERT_TRUE(ok(hv().set_max_memory(domain, all + all)));
  const Extent ram{Gfn(0), all + all};
  EXPECT_TRUE(fails(hv().populate_on_demand(domain, std::span(&ram, 1), all + Pages(1)),
                    ErrorCode::no_memory));
  EXPECT_EQ(hv().domain_info(domain)->on_demand, Pages(0));
  EXPECT_TRUE(ok(hv().populate_on_demand(domain, std::span(&ram, 1), Pages(1000))));
}

TEST_F(Conformance, PopulatedExtentsAreAscendingAndJoined) {
  const DomId domain = make_domain(Pages(0));
  ASSERT_TRUE(ok(hv().set_max_memory(domain, Pages(8192))));
  const Extent extents[] = {{Gfn(16), Pages(700)}, {Gfn(716), Pages(4)}, {Gfn(0x100000), Pages(1)}};
  ASSERT_TRUE(ok(hv().populate_physmap(domain, extents)));
  const Extent ram{Gfn(4096), Pages(4096)};
  ASSERT_TRUE(ok(hv().populate_on_demand(domain, std::span(&ram, 1), Pages(8192))));
  const auto found = hv().populated_extents(domain);
  ASSERT_TRUE(ok(found));
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].first, Gfn(16));
  EXPECT_EQ((*found)[0].count, Pages(704));
  EXPECT_EQ((*found)[1].first, Gfn(0x100000));
}

}  // namespace
}  // namespace xl::hv
