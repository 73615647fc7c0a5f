// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/guest_walk.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

namespace hyp::x86 {
namespace {

using xl::GuestPhys;

// Guest memory as far as page tables go: words by address.
class Tables {
 public:
  void set(std::uint64_t address, std::uint64_t value) { words_[address] = value; }
  std::optional<GuestPhys> walk(const PagingState& state, std::uint64_t linear,
                                bool write = false) const {
    return walk_guest(state, linear, write,
                      [this](GuestPhys at, unsigned bytes) -> std::optional<std::uint64_t> {
                        const auto found = words_.find(at.value());
                        if (found == words_.end()) {
                          return std::nullopt;
                        }
                        return bytes == 8 ? found->second : found->second & 0xffffffff;
                      });
  }

 private:
  std::map<std::uint64_t, std::uint64_t> words_;
};

constexpr std::uint64_t p = 1, w = 2, large = 0x80;
constexpr std::uint64_t protected_paging = cr0::pe | cr0::pg | cr0::wp;
constexpr PagingState unpaged{cr0::pe, 0, 0, 0};
constexpr PagingState two_level{protected_paging, 0x1000, cr4::pse, 0};
constexpr PagingState pae{protected_paging, 0x1020, cr4::pae, 0};
constexpr PagingState four_level{protected_paging, 0x1000, cr4::pae, efer::lme | efer::lma};

TEST(GuestWalk, WithoutPagingTheLinearAddressIsThePhysicalOneIn32Bits) {
  EXPECT_EQ(Tables().walk(unpaged, 0x1234'5678'9abc), GuestPhys(0x56789abc));
}

// Found by fuzzing: a state that no CPU has.
TEST(GuestWalk, WithoutPagingLongModeMakesNoDifference) {
  EXPECT_EQ(Tables().walk({cr0::pe, 0, 0, efer::lma}, 0x1234'5678'9abc), GuestPhys(0x56789abc));
}

TEST(GuestWalk, FourLevelsDownToEachPageSize) {
  Tables tables;
  tables.set(0x1000 + 8 * 1, 0x2000 | p | w);
  tables.set(0x2000 + 8 * 2, 0x3000 | p | w);
  tables.set(0x2000 + 8 * 3, 0x40000000 | p | w | large);
  tables.set(0x3000 + 8 * 4, 0x4000 | p | w);
  tables.set(0x3000 + 8 * 5, 0x00600000 | p | w | large);
  tables.set(0x4000 + 8 * 6, 0x9000 | p | w);
  const std::uint64_t base = 1ULL << 39;
  EXPECT_EQ(tables.walk(four_level, base | 2ULL << 30 | 4ULL << 21 | 6 << 12 | 0x123),
            GuestPhys(0x9123));
  EXPECT_EQ(tables.walk(four_level, base | 2ULL << 30 | 5ULL << 21 | 0x12345), GuestPhys(0x612345));
  EXPECT_EQ(tables.walk(four_level, base | 3ULL << 30 | 0x1234567), GuestPhys(0x41234567));
}

TEST(GuestWalk, NonCanonicalAddressesAreNotMapped) {
  Tables tables;
  for (unsigned i = 0; i < 512; ++i) {
    tables.set(0x1000 + 8 * i, 0x2000 | p | w);
    tables.set(0x2000 + 8 * i, 0 | p | w | large);
  }
  EXPECT_TRUE(tables.walk(four_level, 0xffff'8000'0000'0000));
  EXPECT_FALSE(tables.walk(four_level, 0x0000'8000'0000'0000));
  EXPECT_FALSE(tables.walk(four_level, 0xfffe'8000'0000'0000));
}

TEST(GuestWalk, ReservedHighBitsOfEntriesAreNotAddress) {
  Tables tables;
  tables.set(0x1000, 0x2000 | p | w | 1ULL << 63);
  tables.set(0x2000, 0x40000000 | p | w | large | 1ULL << 63 | 1ULL << 58);
  EXPECT_EQ(tables.walk(four_level, 0x10), GuestPhys(0x40000010));
}

TEST(GuestWalk, ReadOnlyAtAnyLevelRefusesWritesWhileWpIsSet) {
  Tables tables;
  tables.set(0x1000, 0x2000 | p);
  tables.set(0x2000, 0 | p | w | large);
  EXPECT_TRUE(tables.walk(four_level, 0x10, false));
  EXPECT_FALSE(tables.walk(four_level, 0x10, true));
  PagingState without_wp = four_level;
  without_wp.cr0 &= ~cr0::wp;
  EXPECT_TRUE(tables.walk(without_wp, 0x10, true));
}

TEST(GuestWalk, AbsentEntriesAndAbsentTables) {
  Tables tables;
  tables.set(0x1000, 0x2000 | w);
  EXPECT_FALSE(tables.walk(four_level, 0));
  tables.set(0x1000, 0x7777000 | p | w);
  EXPECT_FALSE(tables.walk(four_level, 0));
}

TEST(GuestWalk, TwoLevels) {
  Tables tables;
  tables.set(0x1000 + 4 * 1, 0x2000 | p | w);
  tables.set(0x2000 + 4 * 2, 0x5000 | p | w);
  tables.set(0x1000 + 4 * 3, 0x00c00000 | p | w | large | 5 << 13);  // bits 39:32 are 5
  EXPECT_EQ(tables.walk(two_level, 1 << 22 | 2 << 12 | 0x34), GuestPhys(0x5034));
  EXPECT_EQ(tables.walk(two_level, 3 << 22 | 0x12345), GuestPhys(0x5'00c1'2345));
  PagingState without_pse = two_level;
  without_pse.cr4 = 0;
  EXPECT_FALSE(tables.walk(
      without_pse, 3 << 22));  // the large bit means nothing: it is a table, which is not there
}

TEST(GuestWalk, PaeRootHas32BytesAndNoWritableBit) {
  Tables tables;
  tables.set(0x1020 + 8 * 3, 0x2000 | p);
  tables.set(0x2000 + 8 * 1, 0x3000 | p | w);
  tables.set(0x3000 + 8 * 2, 0x1'2345'6000 | p | w);
  tables.set(0x2000 + 8 * 4, 0x00a00000 | p | w | large);
  EXPECT_EQ(tables.walk(pae, 3ULL << 30 | 1 << 21 | 2 << 12 | 7, true), GuestPhys(0x1'2345'6007));
  EXPECT_EQ(tables.walk(pae, 3ULL << 30 | 4 << 21 | 0x54321), GuestPhys(0xa54321));
}

}  // namespace
}  // namespace hyp::x86
