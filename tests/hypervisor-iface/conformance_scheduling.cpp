// SPDX-License-Identifier: Apache-2.0
// Weight, cap and affinity: what is set is told, nonsense is refused and changes nothing.
#include "tests/hypervisor-iface/conformance.hpp"

namespace xl::hv {
namespace {

CpuSet cpus_of(Hypervisor& hypervisor) {
  const auto info = hypervisor.host_info();
  EXPECT_TRUE(ok(info));
  CpuSet all;
  for (unsigned cpu = 0; info && cpu < info->cpus; ++cpu) {
    all.set(cpu);
  }
  return all;
}

TEST_F(Conformance, ANewVcpuMayRunAnywhere) {
  const DomId domain = make_domain(Pages(16), 2);
  const auto info = hv().vcpu_info(domain, VcpuId(1));
  ASSERT_TRUE(ok(info));
  EXPECT_EQ(info->hard_affinity, cpus_of(hv()));
  EXPECT_EQ(info->soft_affinity, cpus_of(hv()));
}

TEST_F(Conformance, AffinityIsPerVcpuAndWhatIsNotGivenStays) {
  const DomId domain = make_domain(Pages(16), 2);
  const CpuSet all = cpus_of(hv());
  ASSERT_TRUE(ok(hv().set_vcpu_affinity(domain, VcpuId(1), CpuSet(1), std::nullopt)));
  ASSERT_TRUE(ok(hv().set_vcpu_affinity(domain, VcpuId(1), std::nullopt, CpuSet().set())));
  auto info = hv().vcpu_info(domain, VcpuId(1));
  ASSERT_TRUE(ok(info));
  EXPECT_EQ(info->hard_affinity, CpuSet(1));
  EXPECT_EQ(info->soft_affinity, all);  // bits beyond the host's CPUs are zero
  info = hv().vcpu_info(domain, VcpuId(0));
  ASSERT_TRUE(ok(info));
  EXPECT_EQ(info->hard_affinity, all);
}

TEST_F(Conformance, AffinityWithoutAnyOfTheHostsCpusIsRefused) {
  const DomId domain = make_domain(Pages(16), 1);
  CpuSet far;
  far.set(1000);
  for (const CpuSet& set : {CpuSet(), far}) {
    EXPECT_TRUE(fails(hv().set_vcpu_affinity(domain, VcpuId(0), set, std::nullopt),
                      ErrorCode::invalid_argument));
    EXPECT_TRUE(fails(hv().set_vcpu_affinity(domain, VcpuId(0), std::nullopt, set),
                      ErrorCode::invalid_argument));
  }
  EXPECT_TRUE(fails(hv().set_vcpu_affinity(domain, VcpuId(1), CpuSet(1), std::nullopt),
                    ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().set_vcpu_affinity(no_domain, VcpuId(0), CpuSet(1), std::nullopt),
                    ErrorCode::not_found));
  EXPECT_EQ(hv().vcpu_info(domain, VcpuId(0))->hard_affinity, cpus_of(hv()));
}

TEST_F(Conformance, SchedulingParametersAreToldBack) {
  const DomId domain = make_domain(Pages(16), 2);
  auto parameters = hv().scheduling(domain);
  ASSERT_TRUE(ok(parameters));
  EXPECT_EQ(*parameters, SchedulingParameters());
  const SchedulingParameters wanted{65535, 150};
  ASSERT_TRUE(ok(hv().set_scheduling(domain, wanted)));
  EXPECT_TRUE(fails(hv().set_scheduling(domain, {0, 0}), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().set_scheduling(domain, {256, 201}), ErrorCode::invalid_argument))
      << "more than all its vcpus can use";
  parameters = hv().scheduling(domain);
  ASSERT_TRUE(ok(parameters));
  EXPECT_EQ(*parameters, wanted);
  EXPECT_TRUE(fails(hv().scheduling(no_domain), ErrorCode::not_found));
  EXPECT_TRUE(fails(hv().set_scheduling(no_domain, wanted), ErrorCode::not_found));
}

}  // namespace
}  // namespace xl::hv
