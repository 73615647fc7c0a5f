// SPDX-License-Identifier: Apache-2.0
#include "base/types.hpp"

#include <gtest/gtest.h>

#include "base/bits.hpp"

namespace xl {
namespace {

TEST(Types, PositionsSubtractToDistances) {
  EXPECT_EQ(Gfn(7) - Gfn(3), Pages(4));
  EXPECT_EQ(Gfn(3) + Pages(4), Gfn(7));
}

TEST(Types, PagesRoundUpAndDoNotOverflow) {
  EXPECT_EQ(to_pages_up(Bytes(0)), Pages(0));
  EXPECT_EQ(to_pages_up(Bytes(1)), Pages(1));
  EXPECT_EQ(to_pages_up(Bytes(page_size)), Pages(1));
  EXPECT_EQ(to_pages_up(Bytes(~0ULL)), Pages(1ULL << 52));
}

TEST(Types, CheckedAddNamesTheOverflow) {
  Bytes sum;
  EXPECT_TRUE(Bytes::checked_add(Bytes(1), Bytes(2), sum));
  EXPECT_EQ(sum, Bytes(3));
  EXPECT_FALSE(Bytes::checked_add(Bytes(~0ULL), Bytes(1), sum));
  EXPECT_EQ(sum, Bytes(3));
}

TEST(Bits, GetSetMakeAgree) {
  using Field = Bits<4, 3>;
  EXPECT_EQ(Field::mask, 0x70U);
  EXPECT_EQ(Field::get(0x5f), 5U);
  EXPECT_EQ(Field::set(0xff, 2), 0xafU);
  EXPECT_EQ((Bits<0, 64>::get(~0ULL)), ~0ULL);
}

}  // namespace
}  // namespace xl
