// SPDX-License-Identifier: Apache-2.0
// What reaches a domain from outside while it runs (triggers), and how it goes on after it has shut
// down (resume, soft reset).
#include <gtest/gtest.h>

#include "tests/hypervisor/machine.hpp"

namespace hyp::test {
namespace {

using xl::abi::Op;

enum Trigger : std::uint64_t { nmi = 0, reset = 1, init = 2, power = 3, sleep = 4 };

class ControlTest : public testing::Test {
 protected:
  std::int32_t send(std::uint64_t vcpu, std::uint64_t trigger) {
    return m.request(Op::send_trigger, id, {vcpu, trigger}).status;
  }
  std::int64_t call(std::uint64_t number, std::initializer_list<std::uint64_t> args) {
    return m.call(m.vcpu(id), number, args);
  }
  void shut_down(std::uint64_t reason) {
    ASSERT_EQ(m.request(Op::shutdown_domain, id, {reason}).status, 0);
  }
  std::vector<std::uint32_t> changes() {
    return m.request(Op::take_state_changes).rows<std::uint32_t>();
  }
  evtchn_port_t bind_virq(std::uint32_t virq, std::uint32_t vcpu) {
    evtchn_bind_virq op{virq, vcpu, 0};
    EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, op), 0);
    return op.port;
  }

  Machine m;
  std::uint32_t id = m.start(64, 3);
};

TEST_F(ControlTest, AnNmiReachesItsVcpuAndWakesIt) {
  call(__HYPERVISOR_sched_op, {SCHEDOP_block});
  ASSERT_TRUE(m.vcpu(id).blocked.load());
  EXPECT_EQ(send(0, nmi), 0);
  EXPECT_EQ(m.vcpu(id).arch.nmis, 1U);
  EXPECT_FALSE(m.vcpu(id).blocked.load());
  EXPECT_EQ(m.vcpu(id, 1).arch.nmis, 0U);
  m.hv->vcpu_down(m.vcpu(id, 2));
  EXPECT_EQ(send(2, nmi), -XEN_EINVAL) << "offline";
  EXPECT_EQ(send(3, nmi), -XEN_EINVAL) << "no such vcpu";
}

TEST_F(ControlTest, InitTakesAVcpuOfflineButNotTheBootVcpu) {
  EXPECT_EQ(send(1, init), 0);
  EXPECT_FALSE(m.vcpu(id, 1).online.load());
  EXPECT_EQ(send(0, init), -XEN_EINVAL);
  EXPECT_TRUE(m.vcpu(id).online.load());
}

TEST_F(ControlTest, ResetIsARebootAndButtonsAreMissing) {
  for (const std::uint64_t trigger : {std::uint64_t{power}, std::uint64_t{sleep}, 5UL, ~0UL}) {
    EXPECT_EQ(send(0, trigger), -XEN_EOPNOTSUPP);
  }
  EXPECT_FALSE(m.domain(id).shut_down.load());
  EXPECT_EQ(send(0, reset), 0);
  EXPECT_TRUE(m.domain(id).shut_down.load());
  EXPECT_EQ(m.domain(id).shutdown_reason.load(), static_cast<unsigned>(SHUTDOWN_reboot));
}

TEST_F(ControlTest, TheHostHearsOfVcpusThatComeAndGo) {
  (void)changes();
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_down, 1, 0}), 0);
  EXPECT_EQ(changes(), std::vector<std::uint32_t>{id});
  EXPECT_EQ(changes(), std::vector<std::uint32_t>{});
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_up, 1, 0}), 0);
  EXPECT_EQ(changes(), std::vector<std::uint32_t>{id});
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_up, 1, 0}), 0);
  EXPECT_EQ(changes(), std::vector<std::uint32_t>{}) << "nothing changed";
}

TEST_F(ControlTest, ResumeLetsItRunOnWhereItWas) {
  EXPECT_EQ(m.request(Op::resume, id).status, -XEN_EINVAL) << "it runs";
  ASSERT_NE(m.round(0).vcpu, nullptr);
  shut_down(SHUTDOWN_suspend);
  EXPECT_EQ(m.round(0).vcpu, nullptr);
  EXPECT_EQ(m.request(Op::resume, id).status, 0);
  EXPECT_FALSE(m.domain(id).shut_down.load());
  EXPECT_NE(m.round(0).vcpu, nullptr);
  EXPECT_EQ(m.request(Op::resume, id).status, -XEN_EINVAL);
  shut_down(SHUTDOWN_poweroff);
  EXPECT_EQ(m.domain(id).shutdown_reason.load(), static_cast<unsigned>(SHUTDOWN_poweroff))
      << "the second end is an end of its own";
}

TEST_F(ControlTest, ACrashAfterAResumeIsReportedAgain) {
  sched_shutdown op{SHUTDOWN_crash};
  m.call_with(m.vcpu(id), __HYPERVISOR_sched_op, SCHEDOP_shutdown, op);
  ASSERT_EQ(m.request(Op::resume, id).status, 0);
  const std::size_t before = m.log().size();
  m.call_with(m.vcpu(id), __HYPERVISOR_sched_op, SCHEDOP_shutdown, op);
  EXPECT_NE(m.log().substr(before).find("crashed"), std::string::npos);
}

TEST_F(ControlTest, SoftResetOfARunningDomainIsRefused) {
  EXPECT_EQ(m.request(Op::soft_reset, id).status, -XEN_EINVAL);
  EXPECT_EQ(m.request(Op::pause, id).status, 0);
  EXPECT_EQ(m.request(Op::soft_reset, id).status, 0);
}

TEST_F(ControlTest, SoftResetClosesBothEndsOfEveryPort) {
  const auto guest = m.request(Op::event_alloc_unbound, id, {0}).results[0];
  const auto local = m.request(Op::event_bind, id, {guest}).results[0];
  const evtchn_port_t virq = bind_virq(VIRQ_TIMER, 1);
  shut_down(SHUTDOWN_soft_reset);
  ASSERT_EQ(m.request(Op::soft_reset, id).status, 0);
  EXPECT_EQ(m.request(Op::event_notify, 0, {local}).status, -XEN_ENOENT);
  EXPECT_EQ(m.vcpu(id, 1).virq_port[VIRQ_TIMER], 0U);
  EXPECT_TRUE(m.domain(id).shut_down.load()) << "it runs on with resume, not before";
  // All ports can be had anew.
  EXPECT_EQ(m.request(Op::event_alloc_unbound, id, {0}).results[0], guest);
  ASSERT_EQ(m.request(Op::resume, id).status, 0);
  EXPECT_EQ(bind_virq(VIRQ_TIMER, 1), virq);
}

TEST_F(ControlTest, SoftResetForgetsWhatTheGuestRegistered) {
  vcpu_register_vcpu_info info{20, 64, 0};
  m.poke(m.vcpu(id), 0x1000, info);
  ASSERT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_register_vcpu_info, 0, 0x1000}), 0);
  const std::uint64_t area = 0x3000;
  m.poke(m.vcpu(id), 0x1000, area);
  ASSERT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_register_runstate_memory_area, 0, 0x1000}), 0);
  m.domain(id).callback_vector.store(0xf3);
  const std::uint64_t period = 1'000'000;
  m.poke(m.vcpu(id), 0x1000, period);
  ASSERT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_set_periodic_timer, 0, 0x1000}), 0);

  shut_down(SHUTDOWN_soft_reset);
  ASSERT_EQ(m.request(Op::soft_reset, id).status, 0);
  EXPECT_FALSE(m.vcpu(id).info_registered);
  EXPECT_EQ(m.vcpu(id).info.data(), m.domain(id).shared.vcpu(0).data());
  EXPECT_EQ(m.vcpu(id).runstate_area.load(), 0U);
  EXPECT_EQ(m.domain(id).callback_vector.load(), 0U);
  EXPECT_FALSE(m.vcpu(id).periodic.armed.load());
  ASSERT_EQ(m.request(Op::resume, id).status, 0);
  m.poke(m.vcpu(id), 0x1000, info);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_register_vcpu_info, 0, 0x1000}), 0) << "once more";
}

TEST_F(ControlTest, SoftResetKeepsTheToolstacksGrantsOnly) {
  const std::vector<xl::abi::GrantSeedRecord> seeds{{1, 0, 5}, {9, 0, 6}};
  ASSERT_EQ(m.request_rows(Op::grant_seed, id, seeds).status, 0);
  shut_down(SHUTDOWN_soft_reset);
  ASSERT_EQ(m.request(Op::soft_reset, id).status, 0);
  EXPECT_EQ(m.domain(id).grants.version(), 1U);
  EXPECT_EQ(m.request(Op::grant_map, id, {1, 0}).status, 0);
  EXPECT_NE(m.request(Op::grant_map, id, {9, 0}).status, 0);
}

TEST_F(ControlTest, SoftResetWakesWhoPolled) {
  struct {
    std::uint64_t ports, count, timeout;
  } op{0x2000, 1, 0};
  const evtchn_port_t port = bind_virq(VIRQ_TIMER, 0);
  m.poke(m.vcpu(id), 0x2000, port);
  m.poke(m.vcpu(id), 0x1000, op);
  ASSERT_EQ(call(__HYPERVISOR_sched_op, {SCHEDOP_poll, 0x1000}), 0);
  ASSERT_TRUE(m.vcpu(id).blocked.load());
  shut_down(SHUTDOWN_soft_reset);
  ASSERT_EQ(m.request(Op::soft_reset, id).status, 0);
  EXPECT_FALSE(m.vcpu(id).blocked.load());
  EXPECT_EQ(m.domain(id).pollers.load(), 0U);
}

// --- SCHEDOP_watchdog, as Xen has it ---

class WatchdogTest : public ControlTest {
 protected:
  std::int64_t watchdog(std::uint32_t which, std::uint32_t timeout) {
    sched_watchdog op{which, timeout};
    return m.call_with(m.vcpu(id), __HYPERVISOR_sched_op, SCHEDOP_watchdog, op);
  }
  void pass(std::uint64_t seconds) {
    m.platform.now += seconds * 1'000'000'000;
    m.rounds();
  }
  bool fired() {
    return m.domain(id).shut_down.load() &&
           m.domain(id).shutdown_reason.load() == SHUTDOWN_watchdog;
  }
};

TEST_F(WatchdogTest, ADomainHasTwo) {
  EXPECT_EQ(watchdog(0, 10), 1);
  EXPECT_EQ(watchdog(0, 10), 2);
  EXPECT_EQ(watchdog(0, 10), static_cast<std::uint32_t>(-XEN_ENOSPC)) << "as Xen has it";
  EXPECT_EQ(watchdog(3, 10), -XEN_EINVAL);
  EXPECT_EQ(watchdog(~0U, 10), -XEN_EINVAL);
  EXPECT_EQ(watchdog(2, 0), 0) << "given back";
  EXPECT_EQ(watchdog(2, 10), -XEN_EINVAL) << "not in use";
  EXPECT_EQ(watchdog(0, 10), 2);
}

TEST_F(WatchdogTest, EachPokeIsANewTimeout) {
  ASSERT_EQ(watchdog(0, 10), 1);
  for (int i = 0; i < 4; ++i) {
    pass(9);
    ASSERT_FALSE(fired());
    ASSERT_EQ(watchdog(1, 10), 0);
  }
  pass(11);
  EXPECT_TRUE(fired());
}

TEST_F(WatchdogTest, EitherOneEndsTheDomain) {
  ASSERT_EQ(watchdog(0, 100), 1);
  ASSERT_EQ(watchdog(0, 5), 2);
  pass(6);
  EXPECT_TRUE(fired());
}

TEST_F(WatchdogTest, DisarmedItNeverBites) {
  ASSERT_EQ(watchdog(0, 5), 1);
  ASSERT_EQ(watchdog(1, 0), 0);
  pass(1000);
  EXPECT_FALSE(fired());
}

TEST_F(WatchdogTest, ANewOneMayBiteAtOnce) {
  EXPECT_EQ(watchdog(0, 0), 1) << "as Xen: it is the timeout, not a disarm";
  pass(1);
  EXPECT_TRUE(fired());
}

TEST_F(WatchdogTest, WhoHasShutDownIsNotShutDownAgain) {
  ASSERT_EQ(watchdog(0, 5), 1);
  shut_down(SHUTDOWN_poweroff);
  pass(6);
  EXPECT_EQ(m.domain(id).shutdown_reason.load(), static_cast<unsigned>(SHUTDOWN_poweroff));
}

}  // namespace
}  // namespace hyp::test
