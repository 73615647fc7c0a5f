// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/virtual_lapic.hpp"

#include <gtest/gtest.h>

namespace hyp::x86 {
namespace {

using L = VirtualLapic;

class VirtualLapicTest : public testing::Test {
 protected:
  void SetUp() override {
    lapic.reset(2, true);
    enable(lapic);
  }
  static void enable(L& l) { l.write(L::reg_svr, 0x1ff, 0); }
  L lapic;
};

TEST_F(VirtualLapicTest, WhatComesWhileItIsOffIsLost) {
  L fresh;
  fresh.reset(0, false);
  fresh.request(0x50);
  enable(fresh);
  EXPECT_FALSE(fresh.pending_hint());
  fresh.request(0x51);
  EXPECT_EQ(fresh.pending_hint(), 0x51);
  fresh.write(L::reg_svr, 0xff, 0);
  EXPECT_FALSE(fresh.pending_hint());
  enable(fresh);
  EXPECT_EQ(fresh.pending_hint(), 0x51) << "it was on when that came";
}

TEST_F(VirtualLapicTest, LocalVectorsAreMaskedWhileItIsOff) {
  lapic.write(L::reg_lvt_timer, 0x60, 0);
  EXPECT_EQ(lapic.read(L::reg_lvt_timer, 0), 0x60U);
  lapic.write(L::reg_svr, 0xff, 0);
  EXPECT_EQ(lapic.read(L::reg_lvt_timer, 0), 0x10060U);
  lapic.write(L::reg_lvt_timer, 0x61, 0);
  EXPECT_EQ(lapic.read(L::reg_lvt_timer, 0), 0x10061U);
  enable(lapic);
  lapic.write(L::reg_lvt_timer, 0x61, 0);
  EXPECT_EQ(lapic.read(L::reg_lvt_timer, 0), 0x61U);
}

TEST_F(VirtualLapicTest, HighestFirstAndServiceHoldsBackItsClass) {
  lapic.request(0x41);
  lapic.request(0x62);
  ASSERT_EQ(lapic.pending_hint(), 0x62);
  lapic.accept(0x62);
  EXPECT_FALSE(lapic.pending_hint());
  lapic.request(0x6f);
  EXPECT_FALSE(lapic.pending_hint());
  lapic.request(0x70);
  EXPECT_EQ(lapic.pending_hint(), 0x70);
  lapic.accept(0x70);
  lapic.write(L::reg_eoi, 0, 0);
  EXPECT_FALSE(lapic.pending_hint());
  lapic.write(L::reg_eoi, 0, 0);
  EXPECT_EQ(lapic.pending_hint(), 0x6f);
}

TEST_F(VirtualLapicTest, TaskPriorityHoldsBack) {
  lapic.request(0x41);
  lapic.write(L::reg_tpr, 0x40, 0);
  EXPECT_FALSE(lapic.pending_hint());
  EXPECT_EQ(lapic.read(L::reg_ppr, 0), 0x40U);
  lapic.set_task_priority(0x30);
  EXPECT_EQ(lapic.pending_hint(), 0x41);
}

TEST_F(VirtualLapicTest, BitmapsAreReadable) {
  lapic.request(0x41);
  EXPECT_EQ(lapic.read(L::reg_irr + 0x20, 0), 2U);
  lapic.accept(0x41);
  EXPECT_EQ(lapic.read(L::reg_irr + 0x20, 0), 0U);
  EXPECT_EQ(lapic.read(L::reg_isr + 0x20, 0), 2U);
  EXPECT_EQ(lapic.read(L::reg_tmr + 0x20, 0), 0U);
}

TEST_F(VirtualLapicTest, IdentityInBothModes) {
  EXPECT_EQ(lapic.read(L::reg_id, 0), 2U << 24);
  EXPECT_TRUE(lapic.memory_mapped());
  ASSERT_TRUE(lapic.set_base(lapic.base() | L::base_x2apic));
  EXPECT_FALSE(lapic.memory_mapped());
  EXPECT_EQ(lapic.read(L::reg_id, 0), 2U);
  EXPECT_EQ(lapic.read(L::reg_ldr, 0), 1U << 2);
  EXPECT_FALSE(lapic.read(L::reg_dfr, 0));
  EXPECT_FALSE(lapic.write(L::reg_ldr, 0, 0).valid);
}

TEST_F(VirtualLapicTest, ModeChangesAsTheManualAllows) {
  const std::uint64_t base = lapic.base();
  EXPECT_FALSE(lapic.set_base(base | 0x1000'0000'0000));                    // moved elsewhere
  EXPECT_FALSE(lapic.set_base((base & ~L::base_enable) | L::base_x2apic));  // x2APIC without enable
  ASSERT_TRUE(lapic.set_base(base | L::base_x2apic));
  EXPECT_FALSE(lapic.set_base(base));  // straight back
  ASSERT_TRUE(lapic.set_base(base & ~L::base_enable));
  EXPECT_TRUE(lapic.set_base(base));
}

TEST_F(VirtualLapicTest, CommandCarriesItsDestination) {
  EXPECT_FALSE(lapic.write(L::reg_icr_high, 0x05000000, 0).send_ipi);
  EXPECT_TRUE(lapic.write(L::reg_icr, 0x4611, 0).send_ipi);
  EXPECT_EQ(lapic.command(), 5ULL << 32 | 0x4611);
  EXPECT_EQ(lapic.read(L::reg_icr_high, 0), 5U << 24);
  lapic.set_base(lapic.base() | L::base_x2apic);
  EXPECT_TRUE(lapic.write(L::reg_icr, 0x1234ULL << 32 | 0x41, 0).send_ipi);
  EXPECT_EQ(lapic.command(), 0x1234ULL << 32 | 0x41);
}

TEST_F(VirtualLapicTest, Destinations) {
  EXPECT_TRUE(lapic.is_destination(2, false, false));
  EXPECT_FALSE(lapic.is_destination(3, false, false));
  EXPECT_TRUE(lapic.is_destination(0xff, false, false));
  EXPECT_FALSE(lapic.is_destination(0xff, false, true));
  EXPECT_TRUE(lapic.is_destination(~0U, false, true));
  lapic.write(L::reg_ldr, 0x04000000, 0);
  EXPECT_TRUE(lapic.is_destination(0x0c, true, false));
  EXPECT_FALSE(lapic.is_destination(0x03, true, false));
  lapic.write(L::reg_dfr, 0, 0);  // cluster 0, member bit 2
  EXPECT_TRUE(lapic.is_destination(0x04, true, false));
  EXPECT_FALSE(lapic.is_destination(0x14, true, false));
  EXPECT_TRUE(lapic.is_destination(0x0000'0004, true, true));
  EXPECT_FALSE(lapic.is_destination(0x0001'0004, true, true));
}

TEST_F(VirtualLapicTest, OneShotTimer) {
  lapic.write(L::reg_divide, 0x3, 0);  // by 16
  lapic.write(L::reg_lvt_timer, 0x55, 0);
  EXPECT_TRUE(lapic.write(L::reg_initial, 1000, 5000).timer_changed);
  EXPECT_EQ(lapic.deadline(), 5000U + 16000);
  EXPECT_EQ(lapic.read(L::reg_current, 5000 + 8000), 500U);
  EXPECT_FALSE(lapic.timer_fired(21000));
  EXPECT_FALSE(lapic.deadline());
  EXPECT_EQ(lapic.pending_hint(), 0x55);
}

TEST_F(VirtualLapicTest, MaskedTimerRequestsNothing) {
  lapic.write(L::reg_lvt_timer, 0x10055, 0);
  lapic.write(L::reg_initial, 1000, 0);
  lapic.timer_fired(1'000'000);
  EXPECT_FALSE(lapic.pending_hint());
}

TEST_F(VirtualLapicTest, PeriodicTimerMovesOnWithoutAStorm) {
  lapic.write(L::reg_divide, 0xb, 0);  // by 1
  lapic.write(L::reg_lvt_timer, 0x20055, 0);
  lapic.write(L::reg_initial, 1'000'000, 0);
  EXPECT_TRUE(lapic.timer_fired(2'500'000));
  EXPECT_EQ(lapic.deadline(), 3'000'000U);
  lapic.write(L::reg_initial, 1, 10'000'000);
  EXPECT_TRUE(lapic.timer_fired(20'000'000));
  EXPECT_GE(lapic.deadline().value_or(0), 20'100'000U);
}

TEST_F(VirtualLapicTest, ResetForgetsEverythingButIdAndMode) {
  lapic.set_base(lapic.base() | L::base_x2apic);
  lapic.request(0x41);
  lapic.write(L::reg_initial, 1000, 0);
  lapic.reset_registers();
  EXPECT_TRUE(lapic.x2apic());
  EXPECT_EQ(lapic.id(), 2U);
  EXPECT_FALSE(lapic.deadline());
  enable(lapic);
  EXPECT_FALSE(lapic.pending_hint());
}

}  // namespace
}  // namespace hyp::x86
