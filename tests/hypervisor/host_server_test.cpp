// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "tests/hypervisor/machine.hpp"

namespace hyp::test {
namespace {

using xl::abi::DomainRecord;
using xl::abi::ExtentRecord;
using xl::abi::Op;

TEST(HostServer, AnswersInOrderAndRingsWhoSleeps) {
  Machine m;
  m.post(Op::ping);
  m.post(static_cast<Op>(99));
  m.header().host_sleeping = xl::abi::sleeping_for_responses;
  const unsigned rings = m.platform.rings;
  m.hv->serve_host(0);
  EXPECT_TRUE(m.is_done(0));
  EXPECT_TRUE(m.is_done(1));
  EXPECT_EQ(m.platform.rings, rings + 1);
  EXPECT_EQ(m.header().host_sleeping, 0U);
}

TEST(HostServer, TheRingWraps) {
  Machine m;
  for (unsigned i = 0; i < 200; ++i) {
    EXPECT_EQ(m.request(Op::ping).status, 0);
  }
}

TEST(HostServer, PopulateIsAllOrNothing) {
  Machine m;
  const std::uint32_t id = m.make(0);
  m.request(Op::set_max_memory, id, {5000});
  const std::uint64_t before = m.free_frames();
  const std::vector<ExtentRecord> overlap{{0, 0, 600}, {1024, 0, 700}, {599, 0, 1}};
  EXPECT_EQ(m.request_rows(Op::populate, id, overlap).status, -XEN_EINVAL);
  EXPECT_EQ(m.domain(id).pages, 0U);
  EXPECT_EQ(m.request(Op::translate, id, {0, 10}).results[0], 0U);
  m.settle();
  EXPECT_NEAR(static_cast<double>(m.free_frames()), static_cast<double>(before), 4)
      << "but for tables of the physmap";
  using Rows = std::vector<ExtentRecord>;
  EXPECT_EQ(m.request_rows(Op::populate, id, Rows{{0, 0, 0}}).status, -XEN_EINVAL);
  EXPECT_EQ(m.request_rows(Op::populate, id, Rows{{gfn_limit, 0, 1}}).status, -XEN_EINVAL);
  EXPECT_EQ(m.request_rows(Op::populate, id, Rows{{1, 0, ~0ULL}}).status, -XEN_EINVAL);
  EXPECT_EQ(m.request_rows(Op::populate, id, Rows{{0, 0, 5001}}).status, -XEN_ENOMEM);
  m.request(Op::set_max_memory, id, {1 << 20});
  EXPECT_EQ(m.request_rows(Op::populate, id, Rows{{0, 0, 1 << 19}}).status, -XEN_ENOMEM);
}

TEST(HostServer, PopulateWaitsForTheDeadToLeave) {
  Machine m(64);
  const std::uint32_t first = m.make(12000);
  m.post(Op::destroy_domain, first);
  const std::uint32_t second = m.make(12000);
  EXPECT_EQ(m.domain(second).pages, 12000U);
}

TEST(HostServer, TranslateGivesRunsOfMachineFrames) {
  Machine m;
  const std::uint32_t id = m.make(0);
  m.request(Op::set_max_memory, id, {5000});
  m.request_rows<ExtentRecord>(Op::populate, id, {{0, 0, 1024}, {2000, 0, 5}});
  const auto whole = m.request(Op::translate, id, {1, 2000});
  EXPECT_EQ(whole.results[0], 1023U) << "up to the hole";
  std::uint64_t next = 1;
  for (const ExtentRecord& run : whole.rows<ExtentRecord>()) {
    EXPECT_EQ(run.gfn, next);
    EXPECT_EQ(m.domain(id).physmap.lookup(Gfn(run.gfn)).mfn.value(), run.mfn);
    next += run.pages;
  }
  EXPECT_EQ(next, 1024U);
  EXPECT_EQ(m.request(Op::translate, id, {gfn_limit, 1}).status, -XEN_EINVAL);
}

TEST(HostServer, CopiesInAndOut) {
  Machine m;
  const std::uint32_t id = m.make(8);
  const std::string text(6000, 'x');
  EXPECT_EQ(m.request(Op::copy_to_guest, id, {4096 * 2 - 100, 6000}, text.data(), 6000).status, 0);
  const auto back = m.request(Op::copy_from_guest, id, {4096 * 2 - 100, 6000});
  ASSERT_EQ(back.bulk.size(), 6000U);
  EXPECT_EQ(std::memcmp(back.bulk.data(), text.data(), 6000), 0);
  EXPECT_EQ(m.request(Op::copy_to_guest, id, {4096 * 8 - 1, 2}, text.data(), 2).status,
            -XEN_EFAULT);
  EXPECT_EQ(m.request(Op::copy_to_guest, id, {0, 10}, text.data(), 9).status, -XEN_EINVAL);
  EXPECT_EQ(m.request(Op::copy_from_guest, id, {0, 8193}).status, -XEN_EINVAL);
  EXPECT_EQ(m.request(Op::copy_from_guest, id, {~0ULL - 3, 8}).status, -XEN_EFAULT);
}

TEST(HostServer, ListsManyDomainsInPieces) {
  Machine m(128);
  for (int i = 0; i < 200; ++i) {
    (void)m.make(0);
  }
  std::vector<std::uint32_t> ids;
  std::uint64_t from = 0;
  for (;;) {
    const auto part = m.request(Op::list_domains, 0, {from});
    for (const DomainRecord& record : part.rows<DomainRecord>()) {
      EXPECT_TRUE(ids.empty() || record.id > ids.back());
      ids.push_back(record.id);
    }
    if (part.results[0] == 0) {
      break;
    }
    from = ids.back() + 1;
  }
  EXPECT_EQ(ids.size(), 200U);
}

TEST(HostServer, IdsAreNotUsedAgainSoon) {
  Machine m;
  const std::uint32_t first = m.make(0);
  m.request(Op::destroy_domain, first);
  EXPECT_EQ(m.make(0), first + 1);
}

TEST(HostServer, PauseAnswersWhenNoVcpuRuns) {
  Machine m(64, 2);
  const std::uint32_t id = m.start();
  m.rounds();
  ASSERT_TRUE(m.vcpu(id).running);
  const unsigned busy = m.vcpu(id).cpu;
  m.platform.cpu = 1 - busy;
  const std::uint64_t number = m.posted;
  m.post(Op::pause, id);
  const unsigned kicks = m.platform.kicks[busy];
  m.hv->serve_host(1 - busy);
  EXPECT_FALSE(m.is_done(number)) << "the other CPU is still in the guest";
  EXPECT_GT(m.platform.kicks[busy], kicks);
  m.platform.cpu = busy;
  EXPECT_EQ(m.hv->schedule(busy).vcpu, nullptr);
  m.platform.cpu = 1 - busy;
  m.hv->serve_host(1 - busy);
  EXPECT_TRUE(m.is_done(number));
}

TEST(HostServer, ContextComesBackAndZeroWhereNoneWasSet) {
  Machine m;
  const std::uint32_t id = m.make(8, 2);
  xl::abi::VcpuContextRecord record{};
  record.rip = 0x1234;
  EXPECT_EQ(m.request(Op::set_vcpu_context, id, {0}, &record, sizeof record).status, 0);
  EXPECT_EQ(m.request(Op::get_vcpu_context, id, {0}).rows<xl::abi::VcpuContextRecord>().at(0).rip,
            0x1234U);
  EXPECT_EQ(m.request(Op::get_vcpu_context, id, {1}).rows<xl::abi::VcpuContextRecord>().at(0).rip,
            0U);
  EXPECT_EQ(m.request(Op::get_vcpu_context, id, {2}).status, -XEN_EINVAL);
  record.cr0 = 0xbad;
  EXPECT_EQ(m.request(Op::set_vcpu_context, id, {1}, &record, sizeof record).status, -XEN_EINVAL);
  EXPECT_FALSE(m.vcpu(id, 1).online);
  EXPECT_EQ(m.request(Op::set_vcpu_context, id, {1}, &record, 10).status, -XEN_EINVAL);
  EXPECT_EQ(m.domain(id).pauses, 1U) << "its own pause is taken back";
}

TEST(HostServer, FreedMemoryIsOfferedOnceItIsScrubbed) {
  Machine m;
  const std::uint32_t id = m.start(2048);
  m.request(Op::destroy_domain, id);
  m.header().host_sleeping = xl::abi::sleeping_for_events;
  const unsigned rings = m.platform.rings;
  m.settle();
  EXPECT_GE(m.header().releasable_pages, 2048U - 512);
  EXPECT_GT(m.platform.rings, rings);
  const auto offered = m.request(Op::take_freed_frames).rows<ExtentRecord>();
  ASSERT_FALSE(offered.empty());
  EXPECT_EQ(m.header().releasable_pages, 0U);
  EXPECT_EQ(m.request(Op::return_freed_frames).status, 0);
  EXPECT_TRUE(m.request(Op::take_freed_frames).bulk.empty());
}

TEST(HostServer, EveryRequestRefusesADomainThatIsNot) {
  Machine m;
  const std::vector<std::byte> bulk(64);
  for (std::uint32_t op = 0; op < static_cast<std::uint32_t>(Op::count); ++op) {
    const auto response = m.request(static_cast<Op>(op), 77, {}, bulk.data(), bulk.size());
    switch (static_cast<Op>(op)) {
      case Op::ping:
      case Op::host_info:
      case Op::list_domains:
      case Op::take_state_changes:
      case Op::take_freed_frames:
      case Op::list_bindings:
      case Op::attach:
      case Op::return_freed_frames: EXPECT_EQ(response.status, 0) << op; break;
      case Op::create_domain:
      case Op::grant_unmap: EXPECT_EQ(response.status, -XEN_EINVAL) << op; break;
      case Op::event_close:
      case Op::event_notify: EXPECT_EQ(response.status, -XEN_ENOENT) << op; break;
      default: EXPECT_EQ(response.status, -XEN_ESRCH) << op;
    }
  }
}

TEST(HostServer, CountsExitsAndHypercallsByName) {
  Machine m;
  const std::uint32_t id = m.start();
  m.call(m.vcpu(id), __HYPERVISOR_xen_version, {XENVER_version});
  m.vcpu(id).exits[0] = 5;
  std::map<std::string, std::uint64_t> counts;
  for (const auto& row : m.request(Op::counters, id).rows<xl::abi::CounterRecord>()) {
    counts[row.name] = row.count;
  }
  EXPECT_EQ(counts["exit.hlt"], 5U);
  EXPECT_EQ(counts["hypercall.xen_version"], 1U);
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_EQ(m.request(Op::counters, 0).status, 0);
}

}  // namespace
}  // namespace hyp::test
