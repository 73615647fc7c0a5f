// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/hypervisor/machine.hpp"

namespace hyp::test {
namespace {

using xl::abi::Op;

class GrantsTest : public testing::Test {
 protected:
  static constexpr std::uint64_t table = 40 * 4096;  // where the granter sees its first grant frame

  void SetUp() override { map_table(a, 0, table >> 12); }
  void map_table(std::uint32_t id, std::uint64_t index, std::uint64_t gfn) {
    xen_add_to_physmap op{DOMID_SELF, 0, XENMAPSPACE_grant_table, index, gfn};
    ASSERT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_memory_op, XENMEM_add_to_physmap, op), 0);
  }
  void grant(std::uint32_t ref, std::uint32_t peer, std::uint64_t gfn, std::uint16_t flags = 0) {
    const grant_entry_v1_t entry{static_cast<std::uint16_t>(GTF_permit_access | flags),
                                 static_cast<domid_t>(peer), static_cast<std::uint32_t>(gfn)};
    m.poke(m.vcpu(a), table + ref * sizeof entry, entry);
  }
  std::uint16_t flags(std::uint32_t ref) {
    return m.peek<std::uint16_t>(m.vcpu(a), table + ref * sizeof(grant_entry_v1_t));
  }
  template <typename T>
  std::int64_t grant_op(std::uint32_t id, std::uint64_t command, T& op) {
    m.poke(m.vcpu(id), Machine::arg_address, op);
    const std::int64_t result =
        m.call(m.vcpu(id), __HYPERVISOR_grant_table_op, {command, Machine::arg_address, 1});
    op = m.peek<T>(m.vcpu(id), Machine::arg_address);
    return result;
  }
  gnttab_map_grant_ref map(std::uint32_t ref, std::uint64_t gfn, std::uint32_t how = 0) {
    gnttab_map_grant_ref op{};
    op.host_addr = gfn << 12;
    op.flags = GNTMAP_host_map | how;
    op.ref = ref;
    op.dom = static_cast<domid_t>(a);
    EXPECT_EQ(grant_op(b, GNTTABOP_map_grant_ref, op), 0);
    return op;
  }
  std::int16_t unmap(std::uint32_t handle, std::uint64_t gfn) {
    gnttab_unmap_grant_ref op{};
    op.host_addr = gfn << 12;
    op.handle = handle;
    EXPECT_EQ(grant_op(b, GNTTABOP_unmap_grant_ref, op), 0);
    return op.status;
  }

  Machine m;
  std::uint32_t a = m.start(64);  // grants
  std::uint32_t b = m.start(64);  // maps
};

TEST_F(GrantsTest, MappedPageIsTheGrantersPage) {
  grant(9, b, 20);
  m.poke<std::uint64_t>(m.vcpu(a), 20 * 4096, 0x1234);
  const auto op = map(9, 100);
  ASSERT_EQ(op.status, GNTST_okay);
  EXPECT_EQ(m.peek<std::uint64_t>(m.vcpu(b), 100 * 4096), 0x1234U);
  m.poke<std::uint64_t>(m.vcpu(b), 100 * 4096, 0x5678);
  EXPECT_EQ(m.peek<std::uint64_t>(m.vcpu(a), 20 * 4096), 0x5678U);
  EXPECT_EQ(flags(9) & (GTF_reading | GTF_writing), GTF_reading | GTF_writing);
  EXPECT_EQ(unmap(op.handle, 101), GNTST_bad_virt_addr);
  EXPECT_EQ(unmap(op.handle, 100), GNTST_okay);
  EXPECT_EQ(unmap(op.handle, 100), GNTST_bad_handle);
  EXPECT_EQ(flags(9) & (GTF_reading | GTF_writing), 0);
  EXPECT_EQ(m.domain(b).physmap.lookup(Gfn(100)).kind, PageKind::none);
}

TEST_F(GrantsTest, TermsAreKept) {
  grant(9, b, 20, GTF_readonly);
  EXPECT_EQ(map(9, 100).status, GNTST_general_error);
  const auto op = map(9, 100, GNTMAP_readonly);
  ASSERT_EQ(op.status, GNTST_okay);
  EXPECT_EQ(m.domain(b).physmap.lookup(Gfn(100)).kind, PageKind::grant_ro);
  grant(10, 77, 20);
  EXPECT_EQ(map(10, 101).status, GNTST_general_error) << "granted to somebody else";
  EXPECT_EQ(map(11, 101).status, GNTST_general_error) << "not granted";
  EXPECT_EQ(map(5000, 101).status, GNTST_bad_gntref);
  grant(12, b, 5000);
  EXPECT_EQ(map(12, 101).status, GNTST_general_error) << "no such page";
  grant(13, b, table >> 12);
  EXPECT_EQ(map(13, 101).status, GNTST_general_error) << "the table is not the guest's";
  gnttab_map_grant_ref wrong{};
  wrong.dom = 77;
  grant_op(b, GNTTABOP_map_grant_ref, wrong);
  EXPECT_EQ(wrong.status, GNTST_bad_domain);
}

TEST_F(GrantsTest, AGrantedPageStaysUntilItIsUnmapped) {
  grant(9, b, 20);
  const auto op = map(9, 100);
  const auto release = [&] {
    Guard guard(m.domain(a).memory_lock);
    return m.hv->parts().memory.release(m.domain(a), Gfn(20));
  };
  EXPECT_EQ(release().error(), Errno::busy);
  unmap(op.handle, 100);
  EXPECT_TRUE(release().has_value());
}

TEST_F(GrantsTest, EndOfTheGranterWaitsForTheMapper) {
  m.request(Op::destroy_domain, m.make(0));
  m.settle();
  grant(9, b, 20);
  m.poke<std::uint64_t>(m.vcpu(a), 20 * 4096, 0x1234);
  const auto op = map(9, 100);
  m.request(Op::destroy_domain, a);
  m.settle();
  EXPECT_EQ(m.peek<std::uint64_t>(m.vcpu(b), 100 * 4096), 0x1234U);
  EXPECT_EQ(m.platform.domains, 2) << "held back";
  EXPECT_EQ(unmap(op.handle, 100), GNTST_okay);
  m.settle();
  EXPECT_EQ(m.platform.domains, 1);
}

TEST_F(GrantsTest, EndOfTheMapperGivesTheGrantBack) {
  grant(9, b, 20);
  map(9, 100);
  m.request(Op::destroy_domain, b);
  m.settle();
  EXPECT_EQ(flags(9) & (GTF_reading | GTF_writing), 0);
  EXPECT_EQ(m.domain(a).grants.active_count(), 0U);
  m.request(Op::destroy_domain, a);
  m.settle();
  EXPECT_EQ(m.platform.domains, 0);
}

TEST_F(GrantsTest, CopiesBetweenGrantAndOwnPage) {
  grant(9, b, 20);
  m.poke<std::uint64_t>(m.vcpu(a), 20 * 4096 + 8, 0xabcdef);
  gnttab_copy op{};
  op.source.u.ref = 9;
  op.source.domid = static_cast<domid_t>(a);
  op.source.offset = 8;
  op.dest.u.gmfn = 30;
  op.dest.domid = DOMID_SELF;
  op.dest.offset = 4088;
  op.len = 8;
  op.flags = GNTCOPY_source_gref;
  EXPECT_EQ(grant_op(b, GNTTABOP_copy, op), 0);
  EXPECT_EQ(op.status, GNTST_okay);
  EXPECT_EQ(m.peek<std::uint64_t>(m.vcpu(b), 30 * 4096 + 4088), 0xabcdefU);
  op.len = 9;
  grant_op(b, GNTTABOP_copy, op);
  EXPECT_EQ(op.status, GNTST_bad_copy_arg);
  op.flags = 0;
  grant_op(b, GNTTABOP_copy, op);
  EXPECT_EQ(op.status, GNTST_permission_denied) << "another's page without a grant";
  EXPECT_EQ(m.domain(a).grants.active_count(), 0U);
}

TEST_F(GrantsTest, LongListsAreDoneInPieces) {
  grant(9, b, 20);
  for (std::uint64_t i = 0; i < 100; ++i) {
    gnttab_map_grant_ref op{};
    op.host_addr = (200 + i) << 12;
    op.flags = GNTMAP_host_map;
    op.ref = 9;
    op.dom = static_cast<domid_t>(a);
    m.poke(m.vcpu(b), 0x2000 + i * sizeof op, op);
  }
  EXPECT_EQ(m.call(m.vcpu(b), __HYPERVISOR_grant_table_op, {GNTTABOP_map_grant_ref, 0x2000, 100}),
            0);
  EXPECT_EQ(m.restarts, 3);
  EXPECT_EQ(m.domain(b).physmap.lookup(Gfn(299)).kind, PageKind::grant_rw);
}

TEST_F(GrantsTest, Version2HasItsStatusApart) {
  const std::uint64_t gfn = m.domain(a).physmap.lookup(Gfn(20)).mfn.value();
  grant(1, b, 20);  // a reserved entry, as the toolstack's for the console
  gnttab_set_version version{2};
  ASSERT_EQ(grant_op(a, GNTTABOP_set_version, version), 0);
  EXPECT_EQ(version.version, 2U);
  EXPECT_EQ(map(1, 100).status, GNTST_okay) << "reserved entries survive";
  xen_add_to_physmap op{DOMID_SELF, 0, XENMAPSPACE_grant_table, XENMAPIDX_grant_table_status, 41};
  ASSERT_EQ(m.call_with(m.vcpu(a), __HYPERVISOR_memory_op, XENMEM_add_to_physmap, op), 0);
  EXPECT_EQ(m.peek<std::uint16_t>(m.vcpu(a), 41 * 4096 + 2), GTF_reading | GTF_writing);
  version.version = 1;
  EXPECT_EQ(grant_op(a, GNTTABOP_set_version, version), -XEN_EBUSY);
  version.version = 3;
  EXPECT_EQ(grant_op(a, GNTTABOP_set_version, version), -XEN_EINVAL);
  (void)gfn;
}

TEST_F(GrantsTest, HostMapsWhatIsSeededForIt) {
  const std::vector<xl::abi::GrantSeedRecord> seeds{{1, 0, 20}};
  EXPECT_EQ(m.request_rows(Op::grant_seed, a, seeds).status, 0);
  const auto mapped = m.request(Op::grant_map, a, {1, 1});
  EXPECT_EQ(mapped.status, 0);
  EXPECT_EQ(mapped.results[0], m.domain(a).physmap.lookup(Gfn(20)).mfn.value());
  EXPECT_EQ(m.request(Op::grant_map, a, {2, 1}).status, -XEN_EINVAL);
  grant(3, b, 21);
  EXPECT_EQ(m.request(Op::grant_map, a, {3, 0}).status, -XEN_EPERM);
  EXPECT_EQ(m.request(Op::grant_unmap, 0, {mapped.results[1]}).status, 0);
  EXPECT_EQ(m.request(Op::grant_unmap, 0, {mapped.results[1]}).status, -XEN_EINVAL);
  const auto second = m.request(Op::grant_map, a, {1, 1});
  EXPECT_EQ(second.status, 0);
  m.request(Op::destroy_domain, a);
  m.settle();
  EXPECT_EQ(m.platform.domains, 1) << "domain 0's mappings hold nobody back";
  EXPECT_EQ(m.request(Op::grant_unmap, 0, {second.results[1]}).status, 0) << "after the domain";
  EXPECT_EQ(m.request(Op::grant_unmap, 0, {second.results[1]}).status, -XEN_EINVAL);
}

TEST_F(GrantsTest, WhatIsClosedToContainersIsNotThere) {
  gnttab_query_size size{DOMID_SELF, 0, 0, 0};
  EXPECT_EQ(grant_op(a, GNTTABOP_query_size, size), 0);
  EXPECT_EQ(size.max_nr_frames, max_grant_frames);
  EXPECT_EQ(grant_op(a, GNTTABOP_get_status_frames, size), -XEN_ENOSYS);
  EXPECT_EQ(grant_op(a, GNTTABOP_transfer, size), -XEN_ENOSYS);
  EXPECT_EQ(m.call(m.vcpu(a), __HYPERVISOR_grant_table_op, {GNTTABOP_copy, 1ULL << 50, 1}),
            -XEN_EFAULT);
}

}  // namespace
}  // namespace hyp::test
