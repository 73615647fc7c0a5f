// SPDX-License-Identifier: Apache-2.0
// Memory on loan while a Linux kernel comes up. The test plays the kernel: its balloon driver that
// watches memory/target, and its first user code.
#include <cstdint>

// The ABI's headers need the types from there.
#include <xen/hvm/params.h>

#include <atomic>
#include <thread>

#include "libxl++/toolstack/memory_size.hpp"
#include "libxl++/xenstore/wire.hpp"
#include "libxl++/xenstore/xs_wire.hpp"
#include "tests/toolstack/toolstack_fixture.hpp"

namespace xl::toolstack {
namespace {

using fixture::ToolstackTest;
using Kind = LifecycleEvent::Kind;
using namespace std::string_literals;

class Loan : public ToolstackTest {
 protected:
  config::DomainConfig linux_config(Bytes memory, Bytes most, const std::string& name = "guest") {
    config::DomainConfig made = config(name);
    made.kernel = write_file("linux", fixture::tiny_kernel("linux"));
    made.memory = memory;
    made.max_memory = most;
    return made;
  }
  Bytes target(DomId id) { return toolstack().memory_state(id)->target; }
  // What it has and may still demand, but for what nobody counts.
  std::uint64_t mib_of(DomId id) {
    const auto info = fake().domain_info(id);
    return (info->memory + info->on_demand).count() / 256;
  }
  void expect_within(DomId id, std::uint64_t mib_count) {
    EXPECT_GE(mib_of(id), mib_count);
    EXPECT_LE(mib_of(id), mib_count + target_slack.count() / 256);
  }
  void expect_target_event(DomId id, Bytes wanted) {
    const auto event = wait_for(Kind::memory, id);
    ASSERT_TRUE(event);
    EXPECT_EQ(std::get<std::uint64_t>(event->details.at(0).value), wanted.count() >> 10);
    EXPECT_EQ(target(id), wanted);
  }
  // The guest's balloon driver comes up.
  void guest_watches_target(DomId id) {
    const GuestPhys page = to_phys(Gfn(*fake().get_hvm_param(id, HVM_PARAM_STORE_PFN)));
    const std::string bytes = xenstore::encode(XS_WATCH, 0, 0, "memory/target\0token\0"s);
    const auto produced = static_cast<std::uint32_t>(bytes.size());
    ASSERT_TRUE(fake().guest_write(id, page, std::as_bytes(std::span(bytes))));
    const GuestPhys index = page + Bytes(offsetof(xenstore_domain_interface, req_prod));
    ASSERT_TRUE(fake().guest_write(id, index, std::as_bytes(std::span(&produced, 1))));
    ASSERT_TRUE(fake().guest_notify(id, guest_port(id, HVM_PARAM_STORE_EVTCHN)));
    const auto deadline = std::chrono::steady_clock::now() + fixture::patience;
    while (!toolstack().memory_state(id)->has_driver) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }
  // The next daemon does not change it.
  void restart_daemon_and_expect(DomId id, Bytes wanted) {
    kill_toolstack();
    start_toolstack();
    ASSERT_TRUE(toolstack().pause(id));  // behind what it does by itself
    EXPECT_EQ(target(id), wanted);
  }
  // At the n-th time from now on that somebody asks what is free.
  void when_host_is_asked(int times, std::function<void()> act) {
    auto left = std::make_shared<std::atomic<int>>(times);
    fake().set_hook([left, act = std::move(act)](const hv::fake::CallRecord& record) {
      if (record.call == hv::fake::Call::host_info && --*left == 0) {
        act();
      }
    });
  }
};

TEST_F(Loan, AKernelMayHaveAllUntilItRunsUserCode) {
  const DomId id = create(linux_config(mib(16), mib(64)));
  EXPECT_EQ(target(id), mib(64));
  expect_within(id, 64);
  guest_watches_target(id);
  ASSERT_TRUE(fake().guest_runs_user_mode(id));
  expect_target_event(id, mib(16));
  expect_within(id, 64);  // it may have to touch what it gives back
  EXPECT_EQ(toolstack().summary(id)->info.memory.count() / 256, 64U)
      << "xl list shows what is set aside";
  ASSERT_TRUE(fake().guest_gives_back(id, to_pages_up(mib(48))));
  expect_within(id, 16);
  EXPECT_EQ(toolstack().summary(id)->info.memory.count() / 256, 16U);
}

TEST_F(Loan, AKernelWithoutABalloonDriverNeverHeardOfIt) {
  const DomId id = create(linux_config(mib(16), mib(64)));
  ASSERT_TRUE(fake().guest_runs_user_mode(id));
  expect_target_event(id, mib(16));
  expect_within(id, 16);
}

TEST_F(Loan, OthersGetNone) {
  config::DomainConfig other = linux_config(mib(16), mib(64));
  other.kernel = config().kernel;
  const DomId id = create(other);
  EXPECT_EQ(target(id), mib(16));
  expect_within(id, 16);
  const DomId whole = create(linux_config(mib(16), mib(16), "whole"));
  EXPECT_EQ(target(whole), mib(16));
  EXPECT_EQ(fake().calls(hv::fake::Call::set_memory_target), 0U);
}

TEST_F(Loan, NeedsAHostThatHasIt) {
  const DomId id = create(linux_config(mib(16), mib(8192)));
  EXPECT_EQ(target(id), mib(16));
  expect_within(id, 16);
  ASSERT_TRUE(fake().guest_runs_user_mode(id));
  ASSERT_TRUE(toolstack().set_memory(id, mib(32)));
  expect_target_event(id, mib(32));
}

TEST_F(Loan, WhatTheUserAsksForMeanwhileCounts) {
  const DomId id = create(linux_config(mib(16), mib(64)));
  guest_watches_target(id);
  ASSERT_TRUE(toolstack().set_memory(id, mib(24)));
  EXPECT_EQ(target(id), mib(24));
  ASSERT_TRUE(fake().guest_runs_user_mode(id));
  ASSERT_TRUE(fake().guest_set_vcpu(id, VcpuId(0), true));
  restart_daemon_and_expect(id, mib(24));
}

TEST_F(Loan, ARefusedWishLeavesItAlone) {
  const DomId id = create(linux_config(mib(16), mib(64)));
  ASSERT_FALSE(toolstack().set_memory(id, mib(65)));
  EXPECT_EQ(target(id), mib(64));
}

TEST_F(Loan, ALimitBelowItEndsIt) {
  const DomId id = create(linux_config(mib(16), mib(64)));
  ASSERT_TRUE(toolstack().set_max_memory(id, mib(20)));
  EXPECT_EQ(target(id), mib(16));
  expect_within(id, 16);
}

TEST_F(Loan, OutlivesTheDaemon) {
  const DomId id = create(linux_config(mib(16), mib(64)));
  kill_toolstack();
  start_toolstack();
  EXPECT_EQ(target(id), mib(64));
  ASSERT_TRUE(fake().guest_runs_user_mode(id));
  expect_target_event(id, mib(16));
}

TEST_F(Loan, EndsAlsoWhenTheDaemonWasDeadAtTheTime) {
  const DomId id = create(linux_config(mib(16), mib(64)));
  kill_toolstack();
  ASSERT_TRUE(fake().guest_runs_user_mode(id));
  (void)fake().take_events().has_value();  // the dead one had taken the news
  start_toolstack();
  expect_target_event(id, mib(16));
  restart_daemon_and_expect(id, mib(16));
}

TEST_F(Loan, EndsAMomentLater) {
  options_.loan_grace = std::chrono::hours(1);
  restart_toolstack();
  const DomId id = create(linux_config(mib(16), mib(64)));
  ASSERT_TRUE(fake().guest_runs_user_mode(id));
  ASSERT_TRUE(fake().guest_set_vcpu(id, VcpuId(0), true));
  ASSERT_TRUE(toolstack().pause(id));
  EXPECT_EQ(target(id), mib(64));
  ASSERT_TRUE(toolstack().set_memory(id, mib(32)));
  EXPECT_EQ(target(id), mib(32));
}

TEST_F(Loan, ARestartIsABootAgain) {
  const DomId id = create(linux_config(mib(16), mib(64)));
  ASSERT_TRUE(fake().guest_runs_user_mode(id));
  expect_target_event(id, mib(16));
  ASSERT_TRUE(fake().guest_shutdown(id, hv::ShutdownReason::reboot));
  const auto ended = wait_for(Kind::ended, id);
  ASSERT_TRUE(ended && ended->end && ended->end->successor);
  EXPECT_EQ(target(*ended->end->successor), mib(64));
}

TEST_F(Loan, IsTakenBackFromAKernelThatHasNotHeardOfItWhenOthersNeedIt) {
  const DomId id = create(linux_config(mib(16), mib(3000)));
  EXPECT_EQ(target(id), mib(3000));
  const DomId other = create(linux_config(mib(2000), mib(2000), "other"));
  EXPECT_EQ(target(id), mib(16));
  expect_within(id, 16);
  expect_within(other, 2000);
}

TEST_F(Loan, IsWaitedForWhenOthersNeedIt) {
  const DomId id = create(linux_config(mib(16), mib(3000)));
  guest_watches_target(id);
  when_host_is_asked(3, [this, id] {
    EXPECT_EQ(target(id), mib(16));
    EXPECT_TRUE(fake().guest_gives_back(id, to_pages_up(mib(2984))));
  });
  const DomId other = create(linux_config(mib(2000), mib(2000), "other"));
  expect_within(other, 2000);
  fake().set_hook({});
}

TEST_F(Loan, IsWaitedForWhenAnotherIsToGrow) {
  const DomId grows = create(linux_config(mib(16), mib(2000), "grows"));
  ASSERT_TRUE(fake().guest_runs_user_mode(grows));
  expect_target_event(grows, mib(16));
  const DomId id = create(linux_config(mib(16), mib(3000)));
  EXPECT_EQ(target(id), mib(3000));
  ASSERT_TRUE(toolstack().set_memory(grows, mib(1800)));
  EXPECT_EQ(target(id), mib(16));
}

}  // namespace
}  // namespace xl::toolstack
