// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/hypervisor/fake_platform.hpp"

namespace hyp::test {
namespace {

class PhysmapTest : public testing::Test {
 protected:
  PhysmapTest() { map.init(platform, Mfn(next++)); }
  auto frames() {
    return [this]() -> Result<Mfn> {
      if (next == limit) {
        return fail(Errno::nomem);
      }
      return Mfn(next++);
    };
  }
  FakePlatform platform{4 << 20};
  std::uint64_t next = 1;
  std::uint64_t limit = 1000;
  Physmap<FakePlatform> map;
};

TEST_F(PhysmapTest, MapsEachSize) {
  ASSERT_TRUE(map.map(Gfn(0), Mfn(0x40000), 2, PageKind::ram, frames()).has_value());
  ASSERT_TRUE(map.map(Gfn(0x40000), Mfn(0x200), 1, PageKind::ram, frames()).has_value());
  ASSERT_TRUE(map.map(Gfn(0x40201), Mfn(0x77), 0, PageKind::shared, frames()).has_value());
  EXPECT_EQ(map.lookup(Gfn(0x12345)).mfn, Mfn(0x40000 + 0x12345));
  EXPECT_EQ(map.lookup(Gfn(0x401ff)).mfn, Mfn(0x3ff));
  const PhysmapEntry page = map.lookup(Gfn(0x40201));
  EXPECT_EQ(page.mfn, Mfn(0x77));
  EXPECT_EQ(page.kind, PageKind::shared);
  EXPECT_EQ(page.level, 0U);
  EXPECT_EQ(map.lookup(Gfn(0x40200)).kind, PageKind::none);
  EXPECT_EQ(map.lookup(Gfn(gfn_limit)).kind, PageKind::none);
}

TEST_F(PhysmapTest, RefusesWhatIsTakenAndWhatIsBeyond) {
  ASSERT_TRUE(map.map(Gfn(0x200), Mfn(0x200), 1, PageKind::ram, frames()).has_value());
  EXPECT_EQ(map.map(Gfn(0x200), Mfn(0x400), 1, PageKind::ram, frames()).error(), Errno::exist);
  EXPECT_EQ(map.map(Gfn(gfn_limit), Mfn(1), 0, PageKind::ram, frames()).error(), Errno::inval);
  EXPECT_FALSE(map.is_free(Gfn(0x3ff), 0));
  EXPECT_TRUE(map.is_free(Gfn(0x400), 1));
  EXPECT_FALSE(map.is_free(Gfn(0), 2)) << "smaller leaves are below";
}

TEST_F(PhysmapTest, UnmapSplitsAndKeepsTheRest) {
  ASSERT_TRUE(map.map(Gfn(0), Mfn(0x40000), 2, PageKind::ram, frames()).has_value());
  const Result<PhysmapEntry> was = map.unmap(Gfn(0x12345), frames());
  ASSERT_TRUE(was.has_value());
  EXPECT_EQ(was->mfn, Mfn(0x40000 + 0x12345));
  EXPECT_EQ(map.lookup(Gfn(0x12345)).kind, PageKind::none);
  for (const std::uint64_t gfn : {0ULL, 0x12344ULL, 0x12346ULL, 0x3ffffULL}) {
    EXPECT_EQ(map.lookup(Gfn(gfn)).mfn, Mfn(0x40000 + gfn));
  }
  EXPECT_EQ(map.unmap(Gfn(0x12345), frames())->kind, PageKind::none);
}

TEST_F(PhysmapTest, WithoutFramesNothingIsLost) {
  ASSERT_TRUE(map.map(Gfn(0), Mfn(0x40000), 2, PageKind::ram, frames()).has_value());
  limit = next + 1;  // one of the two tables that the split needs
  EXPECT_EQ(map.unmap(Gfn(5), frames()).error(), Errno::nomem);
  EXPECT_EQ(map.lookup(Gfn(5)).mfn, Mfn(0x40005));
  EXPECT_EQ(map.lookup(Gfn(0x3ffff)).mfn, Mfn(0x7ffff));
}

TEST_F(PhysmapTest, SplitInheritsAccessed) {
  ASSERT_TRUE(map.map(Gfn(0), Mfn(0x200), 1, PageKind::ram, frames()).has_value());
  EXPECT_FALSE(map.lookup(Gfn(1)).accessed);
  for (std::uint64_t frame = 1; frame < next; ++frame) {  // what the CPU does
    auto* const entries = reinterpret_cast<std::uint64_t*>(platform.frame(Mfn(frame)));
    for (int i = 0; i < 512; ++i) {
      if ((entries[i] & 0x81) == 0x81) {
        entries[i] |= FakePhysmapFormat::accessed_bits;
      }
    }
  }
  EXPECT_TRUE(map.lookup(Gfn(1)).accessed);
  ASSERT_TRUE(map.unmap(Gfn(0), frames()).has_value());
  EXPECT_TRUE(map.lookup(Gfn(1)).accessed);
}

TEST_F(PhysmapTest, TakeDownGivesEverythingOnceInBoundedPieces) {
  std::uint64_t pages = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    ASSERT_TRUE(map.map(Gfn(i * 3), Mfn(i), 0, PageKind::ram, frames()).has_value());
  }
  ASSERT_TRUE(map.map(Gfn(0x80000), Mfn(0x40000), 2, PageKind::ram, frames()).has_value());
  std::uint64_t tables = 0;
  std::uint64_t pieces = 0;
  bool more = true;
  while (more) {
    std::uint64_t leaves = 0;
    more = map.take_down(
        50, [&](Gfn, const PhysmapEntry& entry) { ++leaves, pages += level_pages(entry.level); },
        [&](Mfn) { ++tables; });
    EXPECT_LE(leaves, 50U);
    ++pieces;
  }
  EXPECT_EQ(pages, 300 + (1U << 18));
  EXPECT_EQ(tables, next - 2) << "all but the root";
  EXPECT_GT(pieces, 5U);
}

}  // namespace
}  // namespace hyp::test
