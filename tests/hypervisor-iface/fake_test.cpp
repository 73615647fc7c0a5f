// SPDX-License-Identifier: Apache-2.0
// What the fake offers beyond the waist: history, faults, usage, the guest's side.
#include "hypervisor-iface/fake/fake_hypervisor.hpp"

#include <gtest/gtest.h>
#include <poll.h>

namespace xl::hv::fake {
namespace {

DomainOptions small() {
  DomainOptions options;
  options.max_memory = Pages(1024);
  return options;
}

TEST(Fake, RemembersCallsInOrder) {
  FakeHypervisor hv;
  const DomId domain = hv.create_domain(small()).value();
  EXPECT_TRUE(hv.pause(domain));
  EXPECT_FALSE(hv.pause(DomId(77)));
  const auto history = hv.history();
  ASSERT_EQ(history.size(), 3U);
  EXPECT_EQ(history[0].call, Call::create_domain);
  EXPECT_EQ(history[1].call, Call::pause);
  EXPECT_EQ(history[1].domain, domain);
  EXPECT_TRUE(history[2].failed);
  EXPECT_EQ(hv.calls(Call::pause), 2U);
}

TEST(Fake, FailsTheChosenCallOnceAndWithoutEffect) {
  FakeHypervisor hv;
  hv.fail_call(2, ErrorCode::busy);
  EXPECT_TRUE(hv.ping());
  const auto failed = hv.create_domain(small());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::busy);
  EXPECT_EQ(hv.usage(), Usage{});
  EXPECT_TRUE(hv.create_domain(small()));

  hv.fail_nth(Call::create_domain, 2);
  EXPECT_TRUE(hv.create_domain(small()));
  EXPECT_TRUE(hv.ping());
  EXPECT_FALSE(hv.create_domain(small()));
  EXPECT_TRUE(hv.create_domain(small()));
}

TEST(Fake, UsageCountsAllThatCanLeak) {
  FakeHypervisor hv;
  const DomId domain = hv.create_domain(small()).value();
  const Extent extent{Gfn(0), Pages(16)};
  ASSERT_TRUE(hv.populate_physmap(domain, std::span(&extent, 1)));
  const EventPort port = hv.event_alloc_unbound(domain, DomId(0)).value();
  ASSERT_TRUE(hv.event_bind(domain, port));
  ASSERT_TRUE(hv.guest_grant(domain, GrantRef(8), Gfn(3)));
  {
    const auto mapping = hv.map_frames(domain, extent);
    const auto grant = hv.grant_map(domain, GrantRef(8), false);
    EXPECT_EQ(hv.usage(), (Usage{.domains = 1,
                                 .frames = 16,
                                 .domain0_ports = 1,
                                 .guest_ports = 1,
                                 .mappings = 1,
                                 .grant_mappings = 1}));
    ASSERT_TRUE(hv.destroy_domain(domain));
    EXPECT_EQ(hv.usage(), (Usage{.mappings = 1, .grant_mappings = 1}));
  }
  EXPECT_EQ(hv.usage(), Usage{});
}

TEST(Fake, GuestAndDomain0NotifyEachOther) {
  FakeHypervisor hv;
  const DomId domain = hv.create_domain(small()).value();
  const EventPort port = hv.event_alloc_unbound(domain, DomId(0)).value();
  const EventBinding binding = hv.event_bind(domain, port).value();
  ASSERT_TRUE(hv.take_events());
  pollfd entry{hv.event_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 0), 0);
  ASSERT_TRUE(hv.guest_notify(domain, port));
  EXPECT_EQ(::poll(&entry, 1, 0), 1);
  EXPECT_EQ(hv.take_events()->ports, std::vector{binding.local});
  ASSERT_TRUE(hv.event_notify(binding.local));
  EXPECT_EQ(hv.guest_take_events(domain).value(), std::vector{port});
  EXPECT_TRUE(hv.guest_take_events(domain)->empty());
}

TEST(Fake, ReadOnlyGrantIsNotMappedWritable) {
  FakeHypervisor hv;
  const DomId domain = hv.create_domain(small()).value();
  const Extent extent{Gfn(0), Pages(16)};
  ASSERT_TRUE(hv.populate_physmap(domain, std::span(&extent, 1)));
  ASSERT_TRUE(hv.guest_grant(domain, GrantRef(8), Gfn(3), true));
  EXPECT_FALSE(hv.grant_map(domain, GrantRef(8), true));
  EXPECT_TRUE(hv.grant_map(domain, GrantRef(8), false));
}

TEST(Fake, DeadOneFailsEverythingAndSaysSo) {
  FakeHypervisor hv;
  hv.die();
  const auto pong = hv.ping();
  ASSERT_FALSE(pong);
  EXPECT_EQ(pong.error().code, ErrorCode::hypervisor_gone);
  for (int i = 0; i < 2; ++i) {  // it stays so
    pollfd entry{hv.event_fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&entry, 1, 0), 1);
    EXPECT_TRUE(hv.take_events()->hypervisor_gone);
  }
}

TEST(Fake, HookRunsBeforeEachCall) {
  FakeHypervisor hv;
  std::vector<Call> seen;
  hv.set_hook([&](const CallRecord& record) { seen.push_back(record.call); });
  EXPECT_TRUE(hv.ping());
  EXPECT_TRUE(hv.host_info());
  EXPECT_EQ(seen, (std::vector{Call::ping, Call::host_info}));
}

}  // namespace
}  // namespace xl::hv::fake
