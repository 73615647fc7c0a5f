// SPDX-License-Identifier: Apache-2.0
// Triggers, resume and soft reset.
#include "tests/hypervisor-iface/conformance.hpp"

namespace xl::hv {
namespace {

TEST_F(Conformance, TriggersThatNeedAButtonAreRefused) {
  const DomId domain = make_domain();
  ASSERT_TRUE(ok(hv().set_vcpu_context(domain, VcpuId(0), VcpuContext{})));
  EXPECT_TRUE(ok(hv().send_trigger(domain, VcpuId(0), Trigger::nmi)));
  for (const Trigger trigger : {Trigger::power, Trigger::sleep}) {
    EXPECT_TRUE(fails(hv().send_trigger(domain, VcpuId(0), trigger), ErrorCode::not_supported));
  }
  EXPECT_TRUE(
      fails(hv().send_trigger(domain, VcpuId(1), Trigger::nmi), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().send_trigger(no_domain, VcpuId(0), Trigger::nmi), ErrorCode::not_found));
}

TEST_F(Conformance, ResumeEndsAShutdown) {
  const DomId domain = make_domain();
  EXPECT_TRUE(fails(hv().resume_domain(domain), ErrorCode::invalid_argument));
  ASSERT_TRUE(ok(hv().shutdown_domain(domain, ShutdownReason::suspend)));
  ASSERT_TRUE(ok(hv().resume_domain(domain)));
  EXPECT_FALSE(hv().domain_info(domain)->shutdown);
  EXPECT_TRUE(fails(hv().resume_domain(domain), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().resume_domain(no_domain), ErrorCode::not_found));
  ASSERT_TRUE(ok(hv().shutdown_domain(domain, ShutdownReason::reboot)));
  EXPECT_EQ(hv().domain_info(domain)->shutdown, ShutdownReason::reboot);
}

TEST_F(Conformance, SoftResetClosesPortsAndKeepsTheDomainStopped) {
  const DomId domain = make_domain();
  const auto port = hv().event_alloc_unbound(domain, DomId(0));
  ASSERT_TRUE(ok(port));
  const auto binding = hv().event_bind(domain, *port);
  ASSERT_TRUE(ok(binding));
  ASSERT_TRUE(ok(hv().shutdown_domain(domain, ShutdownReason::soft_reset)));
  ASSERT_TRUE(ok(hv().soft_reset(domain)));
  EXPECT_EQ(hv().domain_info(domain)->shutdown, ShutdownReason::soft_reset);
  EXPECT_EQ(hv().domain_info(domain)->memory, Pages(1024));
  const auto bindings = hv().event_bindings();
  ASSERT_TRUE(ok(bindings));
  for (const HostBinding& left : *bindings) {
    EXPECT_NE(left.domain, domain);
  }
  ASSERT_TRUE(ok(hv().resume_domain(domain)));
  const auto again = hv().event_alloc_unbound(domain, DomId(0));
  ASSERT_TRUE(ok(again));
  EXPECT_TRUE(ok(hv().event_bind(domain, *again)));
}

TEST_F(Conformance, SoftResetOfARunningDomainIsRefused) {
  const DomId domain = make_domain();
  ASSERT_TRUE(ok(hv().unpause(domain)));
  EXPECT_TRUE(fails(hv().soft_reset(domain), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().soft_reset(no_domain), ErrorCode::not_found));
}

}  // namespace
}  // namespace xl::hv
