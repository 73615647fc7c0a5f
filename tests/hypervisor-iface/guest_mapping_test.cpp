// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv {
namespace {

// gfns 10, 11 | 12 in memory that does not adjoin.
class GuestMappingTest : public testing::Test {
 protected:
  std::vector<std::byte> first_ = std::vector<std::byte>(2 * page_size);
  std::vector<std::byte> second_ = std::vector<std::byte>(page_size);
  GuestMapping mapping_{{{Gfn(10), first_}, {Gfn(12), second_}}, nullptr};
};

TEST_F(GuestMappingTest, FrameIsFoundOrEmpty) {
  EXPECT_EQ(mapping_.frame(Gfn(11)).data(), first_.data() + page_size);
  EXPECT_EQ(mapping_.frame(Gfn(12)).data(), second_.data());
  EXPECT_EQ(mapping_.frame(Gfn(12)).size(), page_size);
  EXPECT_TRUE(mapping_.frame(Gfn(9)).empty());
  EXPECT_TRUE(mapping_.frame(Gfn(13)).empty());
  EXPECT_TRUE(GuestMapping().frame(Gfn(0)).empty());
}

TEST_F(GuestMappingTest, WriteAndReadCrossSegments) {
  const std::byte in[] = {std::byte{1}, std::byte{2}, std::byte{3}};
  const GuestPhys at = to_phys(Gfn(12)) - Bytes(1);
  ASSERT_TRUE(mapping_.write(at, in));
  EXPECT_EQ(first_.back(), std::byte{1});
  EXPECT_EQ(second_[1], std::byte{3});
  std::byte out[3];
  ASSERT_TRUE(mapping_.read(at, out));
  EXPECT_EQ(out[2], std::byte{3});
}

TEST_F(GuestMappingTest, OutsideIsRefusedAndNothingWritten) {
  const std::vector<std::byte> in(2, std::byte{9});
  const GuestPhys end = to_phys(Gfn(13));
  EXPECT_FALSE(mapping_.write(end - Bytes(1), in));
  EXPECT_EQ(second_.back(), std::byte{0});
  EXPECT_FALSE(mapping_.write(to_phys(Gfn(10)) - Bytes(1), in));
  EXPECT_FALSE(mapping_.write(GuestPhys(~0ULL), in));
  EXPECT_FALSE(GuestMapping().write(GuestPhys(0), in));
  EXPECT_TRUE(mapping_.write(end - Bytes(2), in));
}

// Takes what is long, and says that it has.
class Shortcut final : public BulkWriter {
 public:
  bool write(std::span<std::byte>, std::span<const std::byte>) const override { return false; }
  bool read(std::span<const std::byte>, std::span<std::byte> to) const override {
    std::fill(to.begin(), to.end(), std::byte{7});
    return true;
  }
};

TEST_F(GuestMappingTest, LongReadsGoByTheBackendsOwnWay) {
  const GuestMapping mapping({{Gfn(10), first_}}, nullptr, std::make_shared<Shortcut>());
  std::vector<std::byte> page(page_size);
  ASSERT_TRUE(mapping.read(to_phys(Gfn(10)), page));
  EXPECT_EQ(page.back(), std::byte{7});
  std::byte few[2] = {};
  ASSERT_TRUE(mapping.read(to_phys(Gfn(10)), few));
  EXPECT_EQ(few[0], std::byte{0});
}

}  // namespace
}  // namespace xl::hv
