// SPDX-License-Identifier: Apache-2.0
// A new process is domain 0.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/hypervisor/machine.hpp"

namespace hyp::test {
namespace {

using xl::abi::BindingRecord;
using xl::abi::ExtentRecord;
using xl::abi::Op;

std::uint32_t bind(Machine& m, std::uint32_t id) {
  const auto port = m.request(Op::event_alloc_unbound, id, {0}).results[0];
  return static_cast<std::uint32_t>(m.request(Op::event_bind, id, {port}).results[0]);
}

bool selected(Machine& m, std::uint32_t port) {
  return shared_word::test_bit(m.platform.host_area() + xl::abi::selector_offset, port / 64);
}

TEST(Attach, BindingsAreListedInOrderAcrossSeveralAnswers) {
  Machine m;
  std::vector<std::uint32_t> domains;
  for (unsigned i = 0; i < 3; ++i) {
    domains.push_back(m.make(0));
  }
  constexpr unsigned count = 1200;  // two answers and a bit
  for (unsigned i = 0; i < count; ++i) {
    ASSERT_EQ(bind(m, domains[i % 3]), i + 1);
  }
  m.request(Op::event_close, 0, {7});
  std::vector<BindingRecord> all;
  for (std::uint64_t from = 0;;) {
    const Response part = m.request(Op::list_bindings, 0, {from});
    ASSERT_EQ(part.status, 0);
    for (const BindingRecord& record : part.rows<BindingRecord>()) {
      all.push_back(record);
    }
    if (part.results[0] == 0) {
      break;
    }
    from = all.back().local + 1ULL;
  }
  ASSERT_EQ(all.size(), count - 1);
  for (unsigned i = 0; i < all.size(); ++i) {
    const std::uint32_t port = i + (i < 6 ? 1U : 2U);
    EXPECT_EQ(all[i].local, port);
    EXPECT_EQ(all[i].domain, domains[(port - 1) % 3]);
    EXPECT_EQ(all[i].remote, (port - 1) / 3 + 1);
  }
  EXPECT_TRUE(m.request(Op::list_bindings, 0, {~0ULL}).bulk.empty());
}

TEST(Attach, EveryBoundPortIsPendingWhateverTheOneBeforeTook) {
  Machine m;
  const std::uint32_t id = m.make(0);
  std::vector<std::uint32_t> ports;
  for (unsigned i = 0; i < 1000; ++i) {
    ports.push_back(bind(m, id));
  }
  // It took a selector word and died before it took the pending ones; of others it took both.
  for (unsigned word = 0; word < xl::abi::domain0_ports / 64; ++word) {
    shared_word::test_and_clear(m.platform.host_area() + xl::abi::selector_offset, word);
  }
  for (std::size_t i = 0; i < ports.size(); i += 2) {
    m.clear_host_event(ports[i]);
  }
  m.header().host_sleeping = xl::abi::sleeping_for_events;
  const unsigned rings = m.platform.rings;
  EXPECT_EQ(m.request(Op::attach).status, 0);
  for (const std::uint32_t port : ports) {
    EXPECT_TRUE(m.host_event(port)) << port;
    EXPECT_TRUE(selected(m, port)) << port;
  }
  EXPECT_GT(m.platform.rings, rings);
  EXPECT_FALSE(m.host_event(0));
  EXPECT_FALSE(m.host_event(ports.back() + 1)) << "only bound ones";
}

TEST(Attach, MappingsOfTheOneBeforeEnd) {
  Machine m;
  const std::uint32_t id = m.start();
  const std::vector<xl::abi::GrantSeedRecord> seeds{{1, 0, 20}, {2, 0, 21}};
  ASSERT_EQ(m.request_rows(Op::grant_seed, id, seeds).status, 0);
  std::vector<std::uint64_t> handles;
  for (unsigned i = 0; i < 700; ++i) {
    const Response mapped = m.request(Op::grant_map, id, {1 + i % 2, i % 2});
    ASSERT_EQ(mapped.status, 0);
    handles.push_back(mapped.results[1]);
  }
  EXPECT_NE(m.domain(id).grants.active_count(), 0U);
  EXPECT_EQ(m.request(Op::attach).status, 0);
  EXPECT_EQ(m.domain(id).grants.active_count(), 0U);
  for (const std::uint64_t handle : handles) {
    EXPECT_EQ(m.request(Op::grant_unmap, 0, {handle}).status, -XEN_EINVAL);
  }
  EXPECT_EQ(m.request(Op::grant_map, id, {1, 1}).status, 0) << "and may be mapped anew";
}

TEST(Attach, ShutdownsAreReportedAgain) {
  Machine m;
  const std::uint32_t running = m.start();
  const std::uint32_t down = m.start();
  m.request(Op::shutdown_domain, down, {SHUTDOWN_reboot});
  EXPECT_FALSE(m.request(Op::take_state_changes).bulk.empty());
  m.header().state_changed = 0;
  EXPECT_EQ(m.request(Op::attach).status, 0);
  EXPECT_EQ(m.header().state_changed, 1U);
  EXPECT_EQ(m.request(Op::take_state_changes).rows<std::uint32_t>(), std::vector{down});
  (void)running;
}

TEST(Attach, FramesThatWereOfferedStayOutUntilTheyWereReleasedAgain) {
  Machine m;
  m.request(Op::destroy_domain, m.make(4096));
  m.settle();
  const auto offered = m.request(Op::take_freed_frames).rows<ExtentRecord>();
  ASSERT_FALSE(offered.empty());
  const std::uint64_t free = m.free_frames();
  EXPECT_EQ(m.request(Op::attach).status, 0);
  EXPECT_NE(m.core().frames.counts().offered, 0U);
  EXPECT_EQ(m.free_frames(), free);
  const auto again = m.request(Op::take_freed_frames).rows<ExtentRecord>();
  ASSERT_EQ(again.size(), offered.size());
  EXPECT_EQ(again[0].mfn, offered[0].mfn);
  EXPECT_EQ(again[0].pages, offered[0].pages);
}

TEST(Attach, FollowsWhatTheOneBeforeHadPosted) {
  Machine m;
  const std::uint32_t id = m.make(4096);
  for (unsigned i = 0; i < 1000; ++i) {
    bind(m, id);
  }
  m.post(Op::destroy_domain, id);  // takes several steps
  EXPECT_EQ(m.request(Op::attach).status, 0);
  EXPECT_TRUE(m.request(Op::list_domains).bulk.empty());
  EXPECT_TRUE(m.request(Op::list_bindings).bulk.empty());
}

}  // namespace
}  // namespace hyp::test
