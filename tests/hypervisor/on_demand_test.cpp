// SPDX-License-Identifier: Apache-2.0
// Memory that gets its frames when it is first touched, and what guests and the host do with it.
#include <gtest/gtest.h>

#include "tests/hypervisor/machine.hpp"

namespace hyp::test {
namespace {

using xl::abi::ExtentRecord;
using xl::abi::Op;

constexpr std::uint64_t mib = 256;  // pages

class OnDemand : public ::testing::Test {
 protected:
  // A running domain with 64 pages from gfn 0 on (for the tests' own use), and `pages` on demand
  // from `first` on.
  std::uint32_t start(std::uint64_t first, std::uint64_t pages, std::uint64_t target) {
    const std::uint32_t made = m.start(64);
    EXPECT_EQ(m.request(Op::set_max_memory, made, {target + pages}).status, 0);
    EXPECT_EQ(promise(made, {{first, 0, pages}}, target).status, 0);
    return made;
  }
  Response promise(std::uint32_t to, const std::vector<ExtentRecord>& rows, std::uint64_t target) {
    return m.request(Op::populate_on_demand, to, {target}, rows.data(),
                     rows.size() * sizeof(ExtentRecord));
  }
  bool touch(std::uint32_t who, std::uint64_t gfn) {
    m.hv->fault(m.vcpu(who), Gfn(gfn));
    return m.domain(who).physmap.lookup(Gfn(gfn)).kind == PageKind::ram;
  }
  std::int64_t change(std::uint32_t who, std::uint64_t command,
                      const std::vector<std::uint64_t>& gfns, unsigned order = 0,
                      unsigned flags = 0) {
    for (std::uint64_t i = 0; i < gfns.size(); ++i) {
      m.poke(m.vcpu(who), list_address + i * 8, gfns[i]);
    }
    xen_memory_reservation_t op{};
    op.extent_start.p = reinterpret_cast<xen_pfn_t*>(list_address);
    op.nr_extents = gfns.size();
    op.extent_order = order;
    op.mem_flags = flags;
    op.domid = DOMID_SELF;
    return m.call_with(m.vcpu(who), __HYPERVISOR_memory_op, command, op);
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> extents(std::uint32_t who,
                                                               std::uint64_t from = 0) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
    for (const ExtentRecord& row : m.request(Op::list_extents, who, {from}).rows<ExtentRecord>()) {
      found.emplace_back(row.gfn, row.pages);
    }
    return found;
  }
  std::uint64_t on_demand(std::uint32_t who) {
    return m.request(Op::domain_info, who).rows<xl::abi::DomainRecord>()[0].on_demand_pages;
  }

  static constexpr std::uint64_t list_address = 0x2000;
  Machine m{64};
};

TEST_F(OnDemand, FirstTouchGetsAWholeLargePageWhereThereIsOne) {
  const std::uint32_t id = start(1024, 2048, 64 + 2048);
  const std::uint64_t pages = m.domain(id).pages;
  ASSERT_TRUE(touch(id, 1024 + 700));
  EXPECT_EQ(m.domain(id).physmap.lookup(Gfn(1024 + 700)).level, 1U);
  EXPECT_EQ(m.domain(id).pages, pages + 512);
  EXPECT_EQ(m.domain(id).physmap.lookup(Gfn(1024)).kind, PageKind::on_demand);
  EXPECT_EQ(on_demand(id), 2048U - 512);
}

TEST_F(OnDemand, SmallPagesFillTheRestOfTheTargetAndThenTheDomainCrashes) {
  const std::uint32_t id = start(1024, 2048, 64 + 512 + 2);
  ASSERT_TRUE(touch(id, 1024));
  ASSERT_TRUE(touch(id, 1024 + 600));
  EXPECT_EQ(m.domain(id).physmap.lookup(Gfn(1024 + 600)).level, 0U);
  ASSERT_TRUE(touch(id, 1024 + 1600));
  EXPECT_EQ(on_demand(id), 0U);
  EXPECT_FALSE(m.domain(id).shut_down.load());
  EXPECT_FALSE(touch(id, 1024 + 601));
  EXPECT_TRUE(m.domain(id).shut_down.load());
  EXPECT_EQ(m.domain(id).shutdown_reason.load(), static_cast<std::uint32_t>(SHUTDOWN_crash));
  EXPECT_NE(m.log().find("Set memory= to maxmem="), std::string::npos);
  EXPECT_NE(m.log().find("touched more memory than its target allows"), std::string::npos);
}

TEST_F(OnDemand, WhatIsGivenBackCanBeDemandedElsewhere) {
  const std::uint32_t id = start(1024, 2048, 64 + 1);
  ASSERT_TRUE(touch(id, 1024));
  EXPECT_EQ(change(id, XENMEM_decrease_reservation, {1024}), 1);
  ASSERT_TRUE(touch(id, 1500));
  EXPECT_FALSE(m.domain(id).shut_down.load());
}

TEST_F(OnDemand, AHigherTargetLetsTheDomainGoOn) {
  const std::uint32_t id = start(1024, 512, 64);
  EXPECT_EQ(m.request(Op::set_memory_target, id, {64 + 512}).status, 0);
  EXPECT_TRUE(touch(id, 1024));
}

// Linux touches what it gives back: on its way down nothing that was promised may be refused.
TEST_F(OnDemand, ALowerTargetTakesNothingAway) {
  const std::uint32_t id = start(1024, 2048, 64 + 1024);
  ASSERT_TRUE(touch(id, 1024));
  EXPECT_EQ(m.request(Op::set_memory_target, id, {64 + 512}).status, 0);
  EXPECT_EQ(on_demand(id), 512U);
  EXPECT_EQ(change(id, XENMEM_decrease_reservation, {1024}), 1);
  EXPECT_EQ(on_demand(id), 512U) << "what comes back is not promised anew";
  ASSERT_TRUE(touch(id, 1536));
  EXPECT_EQ(m.domain(id).pages, 64U + 512 + 511);
  std::vector<std::uint64_t> gfns;
  for (std::uint64_t i = 1025; i < 1536; ++i) {
    gfns.push_back(i);
  }
  EXPECT_EQ(change(id, XENMEM_decrease_reservation, gfns), 511);
  EXPECT_EQ(on_demand(id), 0U);
  EXPECT_FALSE(touch(id, 2048)) << "that is the target";
}

TEST_F(OnDemand, WhatIsWithdrawnIsFreeAtOnce) {
  const std::uint32_t id = start(1024, 2048, 64 + 512);
  EXPECT_EQ(m.request(Op::set_memory_target, id, {64 + 2048}).status, 0);
  ASSERT_TRUE(touch(id, 1024));
  EXPECT_EQ(m.core().promised.load(), 1536U);
  EXPECT_EQ(m.request(Op::set_memory_target, id, {64 + 1024, 2}).status, -XEN_EINVAL);
  EXPECT_EQ(m.request(Op::set_memory_target, id, {64 + 1024, 1}).status, 0);
  EXPECT_EQ(on_demand(id), 512U);
  EXPECT_EQ(m.core().promised.load(), 512U);
  // Not what it has: that stays the guest's.
  EXPECT_EQ(m.request(Op::set_memory_target, id, {64 + 256, 1}).status, 0);
  EXPECT_EQ(m.domain(id).pages, 64U + 512);
  EXPECT_EQ(on_demand(id), 0U);
  EXPECT_EQ(m.core().promised.load(), 0U);
}

TEST_F(OnDemand, SparseUseIsNotEatenUpByLargePages) {
  const std::uint32_t id = start(1024, 32 * 512, 64 + 4 * 512);
  for (std::uint64_t i = 0; i < 32; ++i) {
    ASSERT_TRUE(touch(id, 1024 + i * 512)) << i;
  }
}

TEST_F(OnDemand, PromisesGoBackWithoutEverHavingAFrame) {
  const std::uint32_t id = start(1024, 2048, 64 + 2048);
  m.settle();
  const std::uint64_t clean = m.core().frames.counts().free();
  EXPECT_EQ(change(id, XENMEM_decrease_reservation, {1024, 1536}, 9), 2);
  EXPECT_EQ(m.core().frames.counts().free(), clean);
  EXPECT_EQ(m.domain(id).physmap.lookup(Gfn(1024)).kind, PageKind::none);
  EXPECT_EQ(m.domain(id).on_demand_pages, 1024U);
  // One page of a large promise leaves the other 511 promised.
  EXPECT_EQ(change(id, XENMEM_decrease_reservation, {2048 + 5}), 1);
  EXPECT_EQ(m.domain(id).on_demand_pages, 1023U);
  EXPECT_FALSE(touch(id, 2048 + 5));
  EXPECT_TRUE(touch(id, 2048 + 6));
  EXPECT_EQ(m.domain(id).physmap.lookup(Gfn(2048 + 6)).level, 0U);
  // It is not there a second time.
  EXPECT_EQ(change(id, XENMEM_decrease_reservation, {2048 + 6, 2048 + 5, 2048 + 7}), 1);
}

TEST_F(OnDemand, GuestPopulatesWhatWasPromised) {
  const std::uint32_t id = start(1024, 1024, 64);
  EXPECT_EQ(change(id, XENMEM_populate_physmap, {1024}), 1);
  EXPECT_EQ(change(id, XENMEM_populate_physmap, {1536}, 9), 1);
  EXPECT_EQ(m.domain(id).on_demand_pages, 511U);
  EXPECT_EQ(m.domain(id).pages, 64U + 513);
  // A domain cannot promise memory to itself. Frames that have no place are counted only.
  EXPECT_EQ(change(id, XENMEM_populate_physmap, {4096}, 0, XENMEMF_populate_on_demand), 0);
  EXPECT_EQ(change(id, XENMEM_increase_reservation, {4096}), 1);
  EXPECT_EQ(m.domain(id).pages, 64U + 513);
  xen_pod_target_t target{};
  target.domid = DOMID_SELF;
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_memory_op, XENMEM_set_pod_target, target),
            -XEN_EPERM);
  target.domid = 77;
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_memory_op, XENMEM_get_pod_target, target),
            -XEN_ESRCH);
}

TEST_F(OnDemand, ALargeExtentFitsWhereSmallPagesWere) {
  const std::uint32_t id = start(1024, 512, 64 + 512);
  EXPECT_EQ(change(id, XENMEM_decrease_reservation, {1024 + 7}), 1);
  EXPECT_EQ(change(id, XENMEM_populate_physmap, {1024 + 7}), 1);
  for (std::uint64_t i = 0; i < 512; ++i) {
    ASSERT_EQ(change(id, XENMEM_decrease_reservation, {1024 + i}), 1) << i;
  }
  EXPECT_EQ(change(id, XENMEM_populate_physmap, {1024}, 9), 1);
  EXPECT_EQ(m.domain(id).pages, 64U + 512);
  EXPECT_EQ(change(id, XENMEM_decrease_reservation, {1024}), 1);
  // All of it or nothing: there has to be room for all of it beside what it takes the place of.
  ASSERT_EQ(m.request(Op::set_max_memory, id, {64 + 512}).status, 0);
  EXPECT_EQ(change(id, XENMEM_populate_physmap, {1024}, 9), 0);
  EXPECT_EQ(m.domain(id).pages, 64U + 511);
  ASSERT_EQ(m.request(Op::set_max_memory, id, {64 + 511 + 512}).status, 0);
  EXPECT_EQ(change(id, XENMEM_populate_physmap, {1024}, 9), 1);
  EXPECT_EQ(m.domain(id).pages, 64U + 512);
}

TEST_F(OnDemand, FlushesOnceForManyPages) {
  const std::uint32_t id = start(1024, 512, 64 + 512);
  ASSERT_TRUE(touch(id, 1024));
  std::vector<std::uint64_t> gfns;
  for (std::uint64_t i = 0; i < 128; ++i) {
    gfns.push_back(1024 + i);
  }
  const unsigned before = m.domain(id).arch.flushes;
  EXPECT_EQ(change(id, XENMEM_decrease_reservation, gfns), 128);
  EXPECT_LE(m.domain(id).arch.flushes - before, 3U);
  EXPECT_EQ(m.hv->parts().reaper.pending_frames(), 128U);
}

TEST_F(OnDemand, HypercallsAndTheHostTouchToo) {
  const std::uint32_t id = start(1024, 2048, 64 + 2048);
  const std::uint64_t address = (1024 + 3) << 12;
  domid_t self = DOMID_SELF;
  m.platform.write_guest(m.vcpu(id), address, &self, sizeof self);
  EXPECT_EQ(m.call(m.vcpu(id), __HYPERVISOR_memory_op, {XENMEM_maximum_reservation, address}),
            static_cast<std::int64_t>(m.domain(id).max_pages));
  const std::uint64_t value = 42;
  EXPECT_EQ(m.request(Op::copy_to_guest, id, {(1536 + 1) << 12, 8}, &value, 8).status, 0);
  const Response translated = m.request(Op::translate, id, {2048, 1024});
  EXPECT_EQ(translated.results[0], 1024U);
  EXPECT_EQ(m.domain(id).on_demand_pages, 0U);
  EXPECT_EQ(extents(id),
            (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 64}, {1024, 2048}}));
}

TEST_F(OnDemand, BeyondTheTargetTheHostIsToldAndTheDomainLives) {
  const std::uint32_t id = start(1024, 2048, 64 + 512);
  EXPECT_EQ(m.request(Op::translate, id, {1024, 2048}).results[0], 512U);
  EXPECT_EQ(m.request(Op::translate, id, {1536, 1}).status, -XEN_ENOMEM);
  const std::uint64_t value = 42;
  EXPECT_EQ(m.request(Op::copy_to_guest, id, {1536 << 12, 8}, &value, 8).status, -XEN_EFAULT);
  EXPECT_FALSE(m.platform.write_guest(m.vcpu(id), 1536 << 12, &value, sizeof value));
  EXPECT_FALSE(m.domain(id).shut_down.load());
}

TEST_F(OnDemand, ExtentsAreJoinedAndListedFromAnywhere) {
  const std::uint32_t id = start(1024, 4 * 512, 64 + 2048);
  ASSERT_TRUE(touch(id, 1024));
  ASSERT_TRUE(touch(id, 1536));
  ASSERT_TRUE(touch(id, 2560));
  using List = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  EXPECT_EQ(extents(id), (List{{0, 64}, {1024, 1024}, {2560, 512}}));
  EXPECT_EQ(extents(id, 1100), (List{{1100, 948}, {2560, 512}}));
  // More runs than an answer holds.
  std::vector<std::uint64_t> gfns;
  for (std::uint64_t i = 1024; i < 2048; i += 2) {
    gfns.push_back(i);
  }
  ASSERT_EQ(change(id, XENMEM_decrease_reservation, gfns), 512);
  const Response first = m.request(Op::list_extents, id, {0});
  EXPECT_EQ(first.results[0], 1U);
  const auto rows = first.rows<ExtentRecord>();
  ASSERT_FALSE(rows.empty());
  const std::uint64_t next = rows.back().gfn + rows.back().pages;
  EXPECT_EQ(rows.size() + extents(id, next).size(), 514U);
}

TEST_F(OnDemand, RefusedPromisesChangeNothing) {
  const std::uint32_t id = start(1024, 512, 64);
  EXPECT_EQ(promise(id, {{8192, 0, 1024}, {1030, 0, 1}}, 64).status, -XEN_EINVAL);  // twice
  EXPECT_EQ(promise(id, {{8192, 0, 1024}, {63, 0, 1}}, 64).status, -XEN_EINVAL);    // is RAM
  EXPECT_EQ(promise(id, {{8192, 0, 0}}, 64).status, -XEN_EINVAL);
  EXPECT_EQ(promise(id, {{gfn_limit, 0, 1}}, 64).status, -XEN_EINVAL);
  EXPECT_EQ(m.domain(id).physmap.lookup(Gfn(8192)).kind, PageKind::none);
  EXPECT_EQ(m.domain(id).on_demand_pages, 512U);
}

TEST_F(OnDemand, NoPromiseIsLargerThanTheHost) {
  const std::uint32_t id = m.make(0);
  const std::uint64_t free = m.free_frames();
  ASSERT_EQ(m.request(Op::set_max_memory, id, {2 * free}).status, 0);
  EXPECT_EQ(promise(id, {{0, 0, 2 * free}}, free + 1).status, -XEN_ENOMEM);
  EXPECT_EQ(m.domain(id).on_demand_pages, 0U);
  EXPECT_EQ(m.core().promised.load(), 0U);
  EXPECT_EQ(promise(id, {{0, 0, 2 * free}}, free - 64).status, 0);
}

TEST_F(OnDemand, TheHostKeepsWhatItPromised) {
  m.settle();
  const std::uint64_t free = m.free_frames();
  const std::uint32_t id = start(1024, 40 * mib, 64 + 40 * mib);
  EXPECT_LE(m.free_frames(), free - 40 * mib);
  // Not twice, neither as a promise nor at once.
  const std::uint32_t other = m.make(0);
  ASSERT_EQ(m.request(Op::set_max_memory, other, {40 * mib}).status, 0);
  EXPECT_EQ(promise(other, {{0, 0, 40 * mib}}, 40 * mib).status, -XEN_ENOMEM);
  EXPECT_EQ(m.domain(other).on_demand_pages, 0U);
  EXPECT_EQ(m.request_rows<ExtentRecord>(Op::populate, other, {{0, 0, 40 * mib}}).status,
            -XEN_ENOMEM);
  for (std::uint64_t gfn = 1024; gfn < 1024 + 40 * mib; gfn += 512) {
    ASSERT_TRUE(touch(id, gfn));
  }
  EXPECT_EQ(m.core().promised.load(), 0U);
  ASSERT_EQ(m.request(Op::destroy_domain, id).status, 0);
  m.settle();
  EXPECT_EQ(promise(other, {{0, 0, 40 * mib}}, 40 * mib).status, 0);
  ASSERT_EQ(m.request(Op::destroy_domain, other).status, 0);
  m.settle();
  EXPECT_EQ(m.core().promised.load(), 0U);
  EXPECT_EQ(m.free_frames(), free);
}

}  // namespace
}  // namespace hyp::test
