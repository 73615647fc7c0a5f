// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/mtrr.hpp"

#include <gtest/gtest.h>

#include "hypervisor/x86_64/machine_check.hpp"

namespace hyp::x86 {
namespace {

constexpr std::uint32_t default_type = 0x2ff;
constexpr std::uint32_t base0 = 0x200;
constexpr std::uint32_t mask7 = 0x20f;
constexpr unsigned address_bits = 40;
constexpr std::uint64_t write_back = 0x0606060606060606;

TEST(Mtrrs, AllMemoryIsWriteBackAtFirst) {
  const Mtrrs mtrrs;
  EXPECT_EQ(mtrrs.read(0xfe), 0x508U);
  EXPECT_EQ(mtrrs.read(default_type), 0x806U);
  EXPECT_EQ(mtrrs.read(base0), 0U);
  EXPECT_EQ(mtrrs.read(0x250), 0U);
}

TEST(Mtrrs, EachRegisterKeepsItsOwnValue) {
  Mtrrs mtrrs;
  std::uint64_t made = 0;
  for (std::uint32_t msr = 0; msr < 0x1000; ++msr) {
    if (Mtrrs::contains(msr) && msr >= base0 && msr != default_type) {
      EXPECT_TRUE(
          mtrrs.write(msr, msr >= 0x250 ? write_back - ++made % 3 : msr << 12, address_bits))
          << std::hex << msr;
    }
  }
  EXPECT_EQ(made, 11U);
  for (std::uint32_t msr = base0; msr <= mask7; ++msr) {
    EXPECT_EQ(mtrrs.read(msr), msr << 12);
  }
  EXPECT_EQ(mtrrs.read(0x250), write_back - 1);
  EXPECT_EQ(mtrrs.read(0x26f), write_back - 2);
  EXPECT_EQ(mtrrs.read(default_type), 0x806U);
}

TEST(Mtrrs, WhatIsReservedIsRefusedAndChangesNothing) {
  Mtrrs mtrrs;
  EXPECT_TRUE(mtrrs.write(base0, 0x1006, address_bits));
  for (const std::uint64_t bad : {0x1002ULL, 0x1003ULL, 0x1007ULL, 0x1106ULL, 1ULL << 40}) {
    EXPECT_FALSE(mtrrs.write(base0, bad, address_bits)) << std::hex << bad;
  }
  EXPECT_EQ(mtrrs.read(base0), 0x1006U);
  EXPECT_TRUE(mtrrs.write(mask7, 0xffff000800, address_bits));
  EXPECT_FALSE(mtrrs.write(mask7, 0xffff000801, address_bits));
  EXPECT_FALSE(mtrrs.write(mask7, 0xffff000c00, address_bits));
  for (const std::uint64_t bad : {0x802ULL, 0x807ULL, 0x906ULL, 0x1806ULL, ~0ULL}) {
    EXPECT_FALSE(mtrrs.write(default_type, bad, address_bits)) << std::hex << bad;
  }
  EXPECT_TRUE(mtrrs.write(default_type, 0xc06, address_bits));
  EXPECT_FALSE(mtrrs.write(0x250, write_back | 7ULL << 56, address_bits));
  EXPECT_FALSE(mtrrs.write(0xfe, 0x508, address_bits));
}

TEST(Mtrrs, OnlyThoseOfTheirNumberAreThere) {
  EXPECT_TRUE(Mtrrs::contains(mask7));
  for (const std::uint32_t other :
       {0xffU, 0x1ffU, 0x210U, 0x24fU, 0x251U, 0x25aU, 0x267U, 0x270U, 0x277U, 0x300U, ~0U}) {
    EXPECT_FALSE(Mtrrs::contains(other)) << std::hex << other;
  }
}

TEST(MachineCheck, TwoBanksInWhichNothingIsFound) {
  MachineCheck check;
  EXPECT_EQ(check.read(0x179), 2U);
  for (const std::uint32_t bank : {0x400U, 0x404U}) {
    EXPECT_EQ(check.read(bank), ~0ULL);
    EXPECT_TRUE(check.write(bank, 0));
    EXPECT_EQ(check.read(bank), ~0ULL);
    for (std::uint32_t msr = bank + 1; msr < bank + 4; ++msr) {
      EXPECT_EQ(check.read(msr), 0U);
      EXPECT_TRUE(check.write(msr, 0));
      EXPECT_FALSE(check.write(msr, 1));
    }
  }
}

TEST(MachineCheck, OtherRegisters) {
  MachineCheck check;
  EXPECT_TRUE(check.write(0x17a, 7));
  EXPECT_EQ(check.read(0x17a), 7U);
  EXPECT_EQ(check.read(0x408), 0U) << "a bank that is not there";
  EXPECT_TRUE(check.write(0x409, 1));
  EXPECT_EQ(check.read(0x409), 0U);
  EXPECT_FALSE(check.read(0x4d0));
  EXPECT_FALSE(check.write(0x4d0, 0));
  EXPECT_FALSE(check.write(0, 0));
  EXPECT_EQ(check.read(0xc0000408), 1ULL << 61);
  for (const std::uint32_t other : {2U, 0x178U, 0x17cU, 0x2a0U, 0x3ffU, 0x480U, 0xc000040bU}) {
    EXPECT_FALSE(MachineCheck::contains(other)) << std::hex << other;
  }
}

}  // namespace
}  // namespace hyp::x86
