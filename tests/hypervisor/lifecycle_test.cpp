// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/hypervisor/machine.hpp"

namespace hyp::test {
namespace {

using xl::abi::Op;

TEST(Lifecycle, CreatesPopulatesRunsAndDestroysWithoutALeak) {
  Machine m;
  (void)m.make(0);  // the first one brings the table of ids
  m.request(Op::destroy_domain, 1);
  m.settle();
  const std::uint64_t before = m.free_frames();
  const std::uint32_t id = m.start(600);
  EXPECT_EQ(m.domain(id).pages, 600U);
  EXPECT_EQ(m.round(0).vcpu, &m.vcpu(id));
  EXPECT_EQ(m.request(Op::destroy_domain, id).status, 0);
  EXPECT_EQ(m.request(Op::domain_info, id).status, -XEN_ESRCH);
  EXPECT_EQ(m.free_frames(), before) << "free at once, though still to be scrubbed";
  m.settle();
  EXPECT_EQ(m.free_frames(), before);
  EXPECT_EQ(m.platform.vcpus, 0);
  EXPECT_EQ(m.platform.domains, 0);
}

TEST(Lifecycle, PauseCounts) {
  Machine m;
  const std::uint32_t id = m.start();
  EXPECT_EQ(m.request(Op::pause, id).status, 0);
  EXPECT_EQ(m.request(Op::pause, id).status, 0);
  EXPECT_EQ(m.request(Op::unpause, id).status, 0);
  EXPECT_EQ(m.round(0).vcpu, nullptr);
  EXPECT_EQ(m.request(Op::unpause, id).status, 0);
  EXPECT_EQ(m.request(Op::unpause, id).status, -XEN_EINVAL);
}

TEST(Lifecycle, FailedCreationLeavesNothing) {
  Machine m;
  (void)m.make(0);
  const std::uint64_t before = m.free_frames();
  m.platform.fail_init_vcpu = 2;
  EXPECT_EQ(m.request(Op::create_domain, 0, {4, 64, 0, 0, 0}).status, -XEN_ENOMEM);
  m.platform.fail_init_domain = true;
  EXPECT_EQ(m.request(Op::create_domain, 0, {4, 64, 0, 0, 0}).status, -XEN_ENOMEM);
  EXPECT_EQ(m.free_frames(), before);
  EXPECT_EQ(m.platform.vcpus, 1);
}

TEST(Lifecycle, UserModeIsToldOnceAndCanBeAskedForEver) {
  Machine m;
  const std::uint32_t id = m.start(64, 2);
  const auto says_so = [&] {
    const auto rows = m.request(Op::domain_info, id).rows<xl::abi::DomainRecord>();
    return (rows.at(0).flags & xl::abi::domain_flag_user_mode) != 0;
  };
  EXPECT_FALSE(says_so());
  EXPECT_TRUE(m.request(Op::take_state_changes).bulk.empty());
  m.hv->saw_user_mode(m.vcpu(id, 1));
  EXPECT_TRUE(says_so());
  EXPECT_EQ(m.request(Op::take_state_changes).rows<std::uint32_t>(), std::vector{id});
  m.hv->saw_user_mode(m.vcpu(id, 1));
  m.hv->saw_user_mode(m.vcpu(id, 0));
  EXPECT_TRUE(m.request(Op::take_state_changes).bulk.empty());
  EXPECT_TRUE(says_so());
}

TEST(Lifecycle, IdleDomainFitsItsBudget) {
  Machine m;
  const std::uint32_t id = m.start(64);
  const auto rows = m.request(Op::domain_info, id).rows<xl::abi::DomainRecord>();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_LE(rows[0].overhead_bytes, 128U << 10) << "half of 256 KiB is for the platform";
}

}  // namespace
}  // namespace hyp::test
