// SPDX-License-Identifier: Apache-2.0
// Weight, cap and affinity, on one and on several CPUs.
#include <gtest/gtest.h>

#include <xen/errno.h>
#include <map>

#include "tests/hypervisor/machine.hpp"

namespace hyp::test {
namespace {

using xl::abi::Op;
constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t hard = 1;
constexpr std::uint64_t soft = 2;

struct Ran {
  std::map<const TestVcpu*, std::uint64_t> total;
  std::map<std::pair<const TestVcpu*, unsigned>, std::uint64_t> on_cpu;
  double of(const TestVcpu& vcpu) { return static_cast<double>(total[&vcpu]); }
  double of(const TestDomain& domain) {
    double sum = 0;
    for (unsigned i = 0; i < domain.vcpu_count; ++i) {
      sum += of(*domain.vcpus[i]);
    }
    return sum;
  }
};

// All CPUs for `time`, each to its next deadline, to a kick, or to the end.
Ran run(Machine& m, std::uint64_t time) {
  Ran ran;
  const std::uint64_t end = m.platform.now + time;
  while (m.platform.now < end) {
    std::uint64_t until = end;
    std::vector<const TestVcpu*> running;
    for (unsigned turn = 0; turn < 2; ++turn) {  // a kick in the first is seen in the second
      running.clear();
      until = end;
      for (unsigned cpu = 0; cpu < m.core().cpus; ++cpu) {
        const auto next = m.round(cpu);
        running.push_back(next.vcpu);
        until = std::min(until, next.deadline);
      }
    }
    until = std::max(until, m.platform.now + 1);
    for (unsigned cpu = 0; cpu < running.size(); ++cpu) {
      if (running[cpu] != nullptr) {
        ran.total[running[cpu]] += until - m.platform.now;
        ran.on_cpu[{running[cpu], cpu}] += until - m.platform.now;
      }
    }
    m.platform.now = until;
  }
  return ran;
}

void pin(Machine& m, std::uint32_t domain, std::uint64_t vcpu, CpuMask cpus) {
  ASSERT_EQ(m.request(Op::set_vcpu_affinity, domain, {vcpu, hard, cpus, 0}).status, 0);
}
void share(Machine& m, std::uint32_t domain, std::uint64_t weight, std::uint64_t cap = 0) {
  ASSERT_EQ(m.request(Op::set_scheduling, domain, {weight, cap}).status, 0);
}

TEST(SchedulerShare, WeightsHoldAmongDomainsOnOneCpuWhateverOthersDo) {
  Machine m(64, 2);
  const std::uint32_t light = m.start();
  const std::uint32_t heavy = m.start();
  const std::uint32_t other = m.start();  // alone on the other CPU
  pin(m, light, 0, 1);
  pin(m, heavy, 0, 1);
  pin(m, other, 0, 2);
  share(m, heavy, 512);
  Ran ran = run(m, 3000 * ms);
  EXPECT_NEAR(ran.of(m.vcpu(heavy)) / ran.of(m.vcpu(light)), 2.0, 0.1);
  EXPECT_NEAR(ran.of(m.vcpu(other)), 3000.0 * ms, 20.0 * ms);
}

TEST(SchedulerShare, WeightIsTheDomainsOverAllCpus) {
  Machine m(64, 4);
  const std::uint32_t light = m.start(64, 4);
  const std::uint32_t heavy = m.start(64, 4);
  share(m, heavy, 512);
  Ran ran = run(m, 3000 * ms);
  EXPECT_NEAR(ran.of(m.domain(heavy)) / ran.of(m.domain(light)), 2.0, 0.1);
  EXPECT_NEAR(ran.of(m.domain(heavy)) + ran.of(m.domain(light)), 4 * 3000.0 * ms, 50.0 * ms);
}

TEST(SchedulerShare, WhoComesLaterGetsAShareAndNoMore) {
  Machine m(64, 2);
  const std::uint32_t light = m.start();  // its virtual time runs ahead of all others
  share(m, light, 1);
  const std::uint32_t normal = m.start();
  run(m, 5000 * ms);
  const std::uint32_t third = m.start();
  const std::uint32_t fourth = m.start();
  Ran ran = run(m, 3000 * ms);
  EXPECT_NEAR(ran.of(m.vcpu(third)), 2000.0 * ms, 150.0 * ms);
  EXPECT_NEAR(ran.of(m.vcpu(fourth)), 2000.0 * ms, 150.0 * ms);
  EXPECT_NEAR(ran.of(m.vcpu(normal)), 2000.0 * ms, 150.0 * ms);
}

TEST(SchedulerShare, CapHoldsAlone) {
  for (const std::uint64_t cap : {1U, 10U, 50U, 90U}) {
    Machine m(64, 2);
    const std::uint32_t id = m.start();
    share(m, id, 256, cap);
    Ran ran = run(m, 4000 * ms);
    EXPECT_NEAR(ran.of(m.vcpu(id)), static_cast<double>(cap) * 40.0 * ms,
                0.05 * static_cast<double>(cap * 40 * ms))
        << cap;
  }
}

TEST(SchedulerShare, CapIsTheDomainsOverItsVcpus) {
  Machine m(64, 4);
  const std::uint32_t id = m.start(64, 4);
  share(m, id, 256, 150);
  Ran ran = run(m, 2000 * ms);
  EXPECT_NEAR(ran.of(m.domain(id)), 3000.0 * ms, 150.0 * ms);
  for (unsigned i = 0; i < 4; ++i) {
    EXPECT_GT(ran.of(m.vcpu(id, i)), 500.0 * ms) << i;
  }
}

TEST(SchedulerShare, CapBesideASpinnerAndWithoutIt) {
  Machine m(64, 1);
  const std::uint32_t capped = m.start();
  const std::uint32_t spinner = m.start();
  share(m, capped, 1024, 20);
  Ran ran = run(m, 4000 * ms);
  EXPECT_NEAR(ran.of(m.vcpu(capped)), 800.0 * ms, 40.0 * ms);
  EXPECT_NEAR(ran.of(m.vcpu(spinner)), 3200.0 * ms, 40.0 * ms);
  share(m, capped, 1024, 0);
  ran = run(m, 4000 * ms);
  EXPECT_NEAR(ran.of(m.vcpu(capped)), 3200.0 * ms, 160.0 * ms);
}

TEST(SchedulerShare, AParkedDomainCanBePausedAndDestroyed) {
  Machine m(64, 1);
  const std::uint32_t id = m.start();
  const std::uint64_t free = m.free_frames();
  share(m, id, 256, 1);
  run(m, 30 * ms);
  ASSERT_TRUE(m.domain(id).parked);
  ASSERT_EQ(m.request(Op::pause, id).status, 0);
  run(m, 300 * ms);
  EXPECT_FALSE(m.domain(id).parked);
  ASSERT_EQ(m.request(Op::unpause, id).status, 0);
  EXPECT_GT(run(m, 300 * ms).of(m.vcpu(id)), 0.0);
  while (!m.domain(id).parked) {
    run(m, ms);
  }
  ASSERT_EQ(m.request(Op::destroy_domain, id).status, 0);
  m.settle();
  EXPECT_GT(m.free_frames(), free);
  run(m, 300 * ms);
}

TEST(SchedulerShare, HardAffinityHoldsAlways) {
  Machine m(64, 4);
  const std::uint32_t pinned = m.start(64, 3);  // three on two CPUs, while others are idle
  for (std::uint64_t i = 0; i < 3; ++i) {
    pin(m, pinned, i, 0b0110);
  }
  (void)m.start(64, 1);
  Ran ran = run(m, 3000 * ms);
  for (unsigned i = 0; i < 3; ++i) {
    TestVcpu& vcpu = m.vcpu(pinned, i);
    EXPECT_NEAR(ran.of(vcpu), 2000.0 * ms, 100.0 * ms);
    EXPECT_EQ((ran.on_cpu[{&vcpu, 0}]) + (ran.on_cpu[{&vcpu, 3}]), 0U);
  }
}

TEST(SchedulerShare, APinMovesARunningVcpuAtOnce) {
  Machine m(64, 2);
  const std::uint32_t id = m.start();
  run(m, 10 * ms);
  TestVcpu& vcpu = m.vcpu(id);
  const unsigned other = 1 - vcpu.cpu.load();
  pin(m, id, 0, cpu_bit(other));
  m.rounds();
  m.rounds();
  EXPECT_TRUE(vcpu.running);
  EXPECT_EQ(vcpu.cpu, other);
}

TEST(SchedulerShare, SoftAffinityIsKeptWhenThereIsRoomAndGivenUpWhenThereIsNone) {
  Machine m(64, 2);
  const std::uint32_t a = m.start();
  const std::uint32_t b = m.start();
  for (const std::uint32_t id : {a, b}) {
    const std::uint64_t cpu = id == a ? 0b10 : 0b01;
    ASSERT_EQ(m.request(Op::set_vcpu_affinity, id, {0, soft, 0, cpu}).status, 0);
  }
  ASSERT_EQ(m.request(Op::pause, b).status, 0);  // as soon as one sleeps the other goes home
  m.rounds();
  ASSERT_EQ(m.request(Op::unpause, b).status, 0);
  Ran ran = run(m, 1000 * ms);
  EXPECT_GT((ran.on_cpu[{&m.vcpu(a), 1}]), 990 * ms);
  EXPECT_GT((ran.on_cpu[{&m.vcpu(b), 0}]), 990 * ms);
  ASSERT_EQ(m.request(Op::set_vcpu_affinity, b, {0, soft, 0, 0b10}).status, 0);
  ran = run(m, 1000 * ms);
  EXPECT_GT(ran.of(m.vcpu(a)) + ran.of(m.vcpu(b)), 1990.0 * ms);  // no CPU is idle for a wish
}

TEST(SchedulerShare, AVcpuGoesHomeWhenItsCpuBecomesFree) {
  Machine m(64, 2);
  const std::uint32_t owner = m.start();
  pin(m, owner, 0, 0b01);
  const std::uint32_t guest = m.start();
  ASSERT_EQ(m.request(Op::set_vcpu_affinity, guest, {0, soft, 0, 0b01}).status, 0);
  run(m, 100 * ms);
  ASSERT_EQ(m.request(Op::pause, owner).status, 0);
  Ran ran = run(m, 100 * ms);
  EXPECT_GT((ran.on_cpu[{&m.vcpu(guest), 0}]), 95 * ms);
}

TEST(SchedulerShare, WhoWakesTakesItsOwnCpuFromASpinner) {
  Machine m(64, 2);
  const std::uint32_t spinner = m.start(64, 2);
  const std::uint32_t sleeper = m.start();
  pin(m, sleeper, 0, 0b10);
  TestVcpu& vcpu = m.vcpu(sleeper);
  for (int i = 0; i < 50; ++i) {
    while (!vcpu.running) {
      run(m, ms);
    }
    m.hv->block(vcpu);
    run(m, 20 * ms);
    const unsigned before = m.platform.kicks[1];
    const unsigned undisturbed = m.platform.kicks[0];
    m.platform.cpu = 0;
    m.hv->wake(vcpu);
    EXPECT_EQ(m.platform.kicks[1], before + 1);
    EXPECT_EQ(m.round(1).vcpu, &vcpu);
    EXPECT_EQ(m.platform.kicks[0], undisturbed);  // the other CPU's spinner goes on
  }
  EXPECT_TRUE(m.vcpu(spinner, 0).running || m.vcpu(spinner, 1).running);
}

TEST(SchedulerShare, WhoWaitsForASliceGetsAnyCpu) {
  Machine m(64, 2);
  const std::uint32_t id = m.start(64, 3);
  Ran ran = run(m, 900 * ms);
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_NEAR(ran.of(m.vcpu(id, i)), 600.0 * ms, 40.0 * ms);
  }
}

TEST(SchedulerShare, OpsSayWhatWasSetAndRefuseNonsense) {
  Machine m(64, 2);
  const std::uint32_t id = m.start(64, 2);
  Response info = m.request(Op::vcpu_info, id, {1});
  EXPECT_EQ(info.results[3], 0b11U);
  EXPECT_EQ(info.results[4], 0b11U);
  ASSERT_EQ(m.request(Op::set_vcpu_affinity, id, {1, hard | soft, 0b10, ~0ULL}).status, 0);
  ASSERT_EQ(m.request(Op::set_vcpu_affinity, id, {1, soft, 0, 0b01}).status, 0);
  info = m.request(Op::vcpu_info, id, {1});
  EXPECT_EQ(info.results[3], 0b10U);
  EXPECT_EQ(info.results[4], 0b01U);
  for (const auto& bad : std::vector<std::array<std::uint64_t, 4>>{{2, hard, 1, 0},
                                                                   {0, hard, 0b100, 0},
                                                                   {0, soft, 1, 0},
                                                                   {0, 4, 1, 1},
                                                                   {~0ULL, hard, 1, 0}}) {
    EXPECT_EQ(m.request(Op::set_vcpu_affinity, id, {bad[0], bad[1], bad[2], bad[3]}).status,
              -XEN_EINVAL);
  }
  ASSERT_EQ(m.request(Op::set_scheduling, id, {65535, 150}).status, 0);
  const Response share = m.request(Op::get_scheduling, id);
  EXPECT_EQ(share.results[0], 65535U);
  EXPECT_EQ(share.results[1], 150U);
  EXPECT_EQ(m.request(Op::set_scheduling, id, {0, 0}).status, -XEN_EINVAL);
  EXPECT_EQ(m.request(Op::set_scheduling, id, {65536, 0}).status, -XEN_EINVAL);
  EXPECT_EQ(m.request(Op::set_scheduling, id, {256, 65536}).status, -XEN_EINVAL);
  EXPECT_EQ(m.request(Op::set_scheduling, 77, {256, 0}).status, -XEN_ESRCH);
}

}  // namespace
}  // namespace hyp::test
