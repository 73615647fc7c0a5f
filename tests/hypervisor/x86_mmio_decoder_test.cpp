// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/mmio_decoder.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace hyp::x86 {
namespace {

std::optional<MmioAccess> decode(const std::vector<std::uint8_t>& bytes,
                                 CodeSize size = CodeSize::bits64) {
  return MmioDecoder(bytes.data(), static_cast<unsigned>(bytes.size()), size).decode();
}

TEST(MmioDecoder, StoresAndLoads) {
  // mov %eax, (%rdi)
  auto access = decode({0x89, 0x07});
  ASSERT_TRUE(access);
  EXPECT_TRUE(access->write && !access->read && !access->has_immediate);
  EXPECT_EQ(access->length, 2U);
  EXPECT_EQ(access->size, 4U);
  EXPECT_EQ(access->reg, 0U);
  // mov 0x20(%rax), %r9d
  access = decode({0x44, 0x8b, 0x48, 0x20});
  ASSERT_TRUE(access);
  EXPECT_TRUE(access->read && !access->write);
  EXPECT_EQ(access->length, 4U);
  EXPECT_EQ(access->reg, 9U);
}

TEST(MmioDecoder, EveryAddressForm) {
  EXPECT_EQ(decode({0x8b, 0x04, 0x25, 0x20, 0x00, 0xe0, 0xfe})->length,
            7U);                                                  // mov 0xfee00020, %eax (no base)
  EXPECT_EQ(decode({0x8b, 0x05, 1, 2, 3, 4})->length, 6U);        // mov rip-relative
  EXPECT_EQ(decode({0x8b, 0x44, 0x8b, 0x10})->length, 4U);        // mov 0x10(%rbx,%rcx,4)
  EXPECT_EQ(decode({0x8b, 0x84, 0x8b, 1, 2, 3, 4})->length, 7U);  // 32-bit displacement with SIB
  EXPECT_EQ(decode({0x8b, 0x07}, CodeSize::bits16)->length, 2U);  // mov (%bx), %ax
  EXPECT_EQ(decode({0x8b, 0x06, 1, 2}, CodeSize::bits16)->length, 4U);     // mov disp16, %ax
  EXPECT_EQ(decode({0x67, 0x8b, 0x46, 1}, CodeSize::bits16)->length, 4U);  // mov 1(%esi), %ax
}

TEST(MmioDecoder, OperandSizes) {
  EXPECT_EQ(decode({0x66, 0x89, 0x07})->size, 2U);
  EXPECT_EQ(decode({0x48, 0x89, 0x07})->size, 8U);
  EXPECT_EQ(decode({0x88, 0x07})->size, 1U);
  EXPECT_EQ(decode({0x89, 0x07}, CodeSize::bits16)->size, 2U);
  EXPECT_EQ(decode({0x66, 0x89, 0x07}, CodeSize::bits16)->size, 4U);
}

TEST(MmioDecoder, ByteRegisters) {
  auto access = decode({0x88, 0x27});  // mov %ah, (%rdi)
  ASSERT_TRUE(access);
  EXPECT_TRUE(access->high_byte);
  EXPECT_EQ(access->reg, 0U);
  access = decode({0x40, 0x88, 0x27});  // mov %spl, (%rdi)
  ASSERT_TRUE(access);
  EXPECT_FALSE(access->high_byte);
  EXPECT_EQ(access->reg, 4U);
}

TEST(MmioDecoder, Immediates) {
  auto access = decode({0xc7, 0x47, 0x04, 0x78, 0x56, 0x34, 0x12});
  ASSERT_TRUE(access);
  EXPECT_TRUE(access->write && access->has_immediate);
  EXPECT_EQ(access->immediate, 0x12345678U);
  EXPECT_EQ(access->length, 7U);
  access = decode({0x48, 0xc7, 0x07, 0xff, 0xff, 0xff, 0xff});
  ASSERT_TRUE(access);
  EXPECT_EQ(access->immediate, ~0ULL);
  EXPECT_FALSE(decode({0xc7, 0x4f, 0x04, 0, 0, 0, 0}));  // /1 is not MOV
}

TEST(MmioDecoder, Extensions) {
  const auto zero = decode({0x0f, 0xb6, 0x07});
  ASSERT_TRUE(zero);
  EXPECT_TRUE(zero->read && !zero->sign_extend);
  EXPECT_EQ(zero->size, 1U);
  EXPECT_EQ(zero->reg_size, 4U);
  const auto sign = decode({0x48, 0x0f, 0xbf, 0x07});
  ASSERT_TRUE(sign);
  EXPECT_TRUE(sign->sign_extend);
  EXPECT_EQ(sign->size, 2U);
  EXPECT_EQ(sign->reg_size, 8U);
}

TEST(MmioDecoder, Exchange) {
  const auto access = decode({0x87, 0x07});
  ASSERT_TRUE(access);
  EXPECT_TRUE(access->read && access->write);
}

TEST(MmioDecoder, WhatIsNotAMoveOrIsCutOffIsRefused) {
  EXPECT_FALSE(decode({0x90}));
  EXPECT_FALSE(decode({0x89, 0xc0}));  // register to register
  EXPECT_FALSE(decode({0x0f, 0x05}));
  const std::vector<std::uint8_t> whole = {0x66, 0x67, 0x41, 0xc7, 0x84, 0x8b, 1, 2, 3, 4, 5, 6};
  ASSERT_TRUE(decode(whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(decode({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}))
        << length;
  }
  EXPECT_FALSE(decode(std::vector<std::uint8_t>(15, 0x66)));
}

}  // namespace
}  // namespace hyp::x86
