// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "tests/hypervisor/machine.hpp"

namespace hyp::test {
namespace {

using xl::abi::Op;
constexpr std::uint64_t ms = 1'000'000;

// Runs one CPU for `time` as the main loop would: to each deadline, or to the end.
std::map<TestVcpu*, std::uint64_t> run(Machine& m, std::uint64_t time) {
  std::map<TestVcpu*, std::uint64_t> ran;
  const std::uint64_t end = m.platform.now + time;
  while (m.platform.now < end) {
    const auto next = m.round(0);
    const std::uint64_t until = std::min(end, std::max(next.deadline, m.platform.now + 1));
    if (next.vcpu != nullptr) {
      ran[next.vcpu] += until - m.platform.now;
    }
    m.platform.now = until;
  }
  return ran;
}

TEST(Scheduler, SpinningVcpusShareACpuEvenly) {
  Machine m(64, 1);
  std::vector<TestVcpu*> vcpus;
  for (int i = 0; i < 5; ++i) {
    vcpus.push_back(&m.vcpu(m.start()));
  }
  auto ran = run(m, 1000 * ms);
  for (TestVcpu* const vcpu : vcpus) {
    EXPECT_NEAR(static_cast<double>(ran[vcpu]), 200.0 * ms, 15.0 * ms);
  }
}

TEST(Scheduler, WeightDecidesTheShare) {
  Machine m(64, 1);
  TestVcpu& heavy = m.vcpu(m.start());
  TestVcpu& light = m.vcpu(m.start());
  heavy.domain->weight = 768;
  auto ran = run(m, 2000 * ms);
  EXPECT_NEAR(static_cast<double>(ran[&heavy]) / static_cast<double>(ran[&light]), 3.0, 0.2);
}

TEST(Scheduler, AloneThereIsNoTick) {
  Machine m(64, 1);
  (void)m.start();
  EXPECT_EQ(m.round(0).deadline, never);
}

TEST(Scheduler, AWaiterEndsTheEndlessSliceOfTheOther) {
  Machine m(64, 1);
  (void)m.start();
  EXPECT_EQ(m.round(0).deadline, never);
  (void)m.start();
  EXPECT_LE(m.round(0).deadline, m.platform.now + 10 * ms);
}

TEST(Scheduler, WhoWakesRunsAtOnceBeforeASpinner) {
  Machine m(64, 1);
  TestVcpu& spinner = m.vcpu(m.start());
  TestVcpu& sleeper = m.vcpu(m.start());
  run(m, 100 * ms);
  while (m.round(0).vcpu != &sleeper) {
    m.platform.now += ms;
  }
  m.hv->block(sleeper);
  EXPECT_EQ(m.round(0).vcpu, &spinner);
  m.platform.now += 500 * ms;
  m.hv->wake(sleeper);
  EXPECT_EQ(m.round(0).vcpu, &sleeper);
}

TEST(Scheduler, LongSleepIsNoCreditWithoutEnd) {
  Machine m(64, 1);
  TestVcpu& a = m.vcpu(m.start());
  TestVcpu& b = m.vcpu(m.start());
  while (m.round(0).vcpu != &b) {
    m.platform.now += ms;
  }
  m.hv->block(b);
  run(m, 10000 * ms);
  m.hv->wake(b);
  auto ran = run(m, 1000 * ms);
  EXPECT_GT(ran[&a], 450 * ms);
  EXPECT_GT(ran[&b], 450 * ms);
}

TEST(Scheduler, AnIdleCpuIsKickedForWhoWakes) {
  Machine m(64, 2);
  TestVcpu& vcpu = m.vcpu(m.start());
  EXPECT_EQ(m.round(0).vcpu, &vcpu);
  m.hv->block(vcpu);
  m.rounds();
  const unsigned before = m.platform.kicks[0] + m.platform.kicks[1];
  m.hv->wake(vcpu);
  EXPECT_EQ(m.platform.kicks[0] + m.platform.kicks[1], before + 1);
}

TEST(Scheduler, TwoCpusRunTwoVcpus) {
  Machine m(64, 2);
  (void)m.start(64, 2);
  const TestVcpu* const first = m.round(0).vcpu;
  const TestVcpu* const second = m.round(1).vcpu;
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_NE(first, second);
  EXPECT_TRUE(first->running);
}

TEST(Scheduler, AnEventThatComesWhileBlockingIsNotLost) {
  Machine m(64, 1);
  TestVcpu& vcpu = m.vcpu(m.start());
  EXPECT_EQ(m.round(0).vcpu, &vcpu);
  vcpu.arch.interrupt = true;
  m.hv->block(vcpu);
  EXPECT_EQ(m.round(0).vcpu, &vcpu);
}

TEST(Scheduler, RunstateAddsUp) {
  Machine m(64, 1);
  TestVcpu& vcpu = m.vcpu(m.start());
  const std::uint64_t begin = m.platform.now;
  m.round(0);
  m.platform.now += 30 * ms;
  m.hv->block(vcpu);
  m.round(0);
  m.platform.now += 70 * ms;
  m.hv->wake(vcpu);
  m.round(0);
  const auto state = m.core().scheduler.runstate(vcpu);
  EXPECT_EQ(state.ns[0], 30 * ms);
  EXPECT_EQ(state.ns[2], 70 * ms);
  EXPECT_EQ(state.state, RunState::running);
  EXPECT_EQ(m.platform.now - begin, 100 * ms);
}

TEST(Scheduler, PausedAndShutDownDomainsDoNotRun) {
  Machine m(64, 1);
  const std::uint32_t id = m.start();
  m.hv->shutdown(m.domain(id), SHUTDOWN_reboot);
  EXPECT_EQ(m.round(0).vcpu, nullptr);
  const auto rows = m.request(Op::domain_info, id).rows<xl::abi::DomainRecord>();
  EXPECT_EQ(rows.at(0).shutdown_reason, static_cast<std::uint32_t>(SHUTDOWN_reboot));
  EXPECT_NE(rows.at(0).flags & xl::abi::domain_flag_shutdown, 0U);
}

TEST(Scheduler, YieldLetsTheOtherGo) {
  Machine m(64, 1);
  TestVcpu& a = m.vcpu(m.start());
  TestVcpu& b = m.vcpu(m.start());
  TestVcpu* const first = m.round(0).vcpu;
  m.hv->yield(*first);
  EXPECT_EQ(m.round(0).vcpu, first == &a ? &b : &a);
}

TEST(Scheduler, ThousandsOfBlockedVcpusCostNothing) {
  Machine m(256, 1);
  TestVcpu& spinner = m.vcpu(m.start(1));
  for (int i = 0; i < 1000; ++i) {
    TestVcpu& vcpu = m.vcpu(m.start(1));
    while (m.round(0).vcpu != &vcpu) {
      m.platform.now += ms;
    }
    m.hv->block(vcpu);
  }
  EXPECT_EQ(m.round(0).vcpu, &spinner);
  EXPECT_EQ(m.round(0).deadline, never);
}

}  // namespace
}  // namespace hyp::test
