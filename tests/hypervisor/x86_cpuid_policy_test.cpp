// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/cpuid_policy.hpp"

#include <gtest/gtest.h>

#include "hypervisor/x86_64/clock.hpp"

namespace hyp::x86 {
namespace {

// A CPU that has every feature bit, of today and of the future.
CpuidResult everything(std::uint32_t, std::uint32_t) {
  return {~0U, ~0U, ~0U, ~0U};
}
CpuidResult nothing(std::uint32_t, std::uint32_t) {
  return {};
}

CpuidResult ask(std::uint32_t leaf, std::uint32_t subleaf = 0, CpuidVcpu vcpu = {}) {
  return cpuid_policy(vcpu, leaf, subleaf, everything);
}

TEST(CpuidPolicy, FeaturesWithoutSupportHereStayHidden) {
  const CpuidResult one = ask(1);
  EXPECT_EQ(one.ecx & (1U << 5), 0U);              // VMX
  EXPECT_EQ(one.ecx & (1U << 3), 0U);              // MONITOR
  EXPECT_EQ(one.ecx & (1U << 24), 0U);             // TSC deadline
  EXPECT_EQ(one.ecx & (1U << 26), 0U);             // XSAVE
  EXPECT_EQ(ask(0x80000001).ecx & (1U << 2), 0U);  // SVM
  EXPECT_EQ(ask(7).ecx, 0U);                       // among them LA57 and PKU
  EXPECT_EQ(ask(7, 1).eax, 0U);
  EXPECT_EQ(ask(0xd).eax, 0U);
  EXPECT_EQ(ask(0x80000007).edx, 0U);  // invariant TSC
  EXPECT_EQ(ask(0x8000000a).eax, 0U);
  EXPECT_EQ(ask(0x12345).eax, 0U);
}

TEST(CpuidPolicy, MemoryTypesAndMachineCheckAreOffered) {
  for (const unsigned feature : {7U, 12U, 14U, 16U}) {  // MCE, MTRR, MCA, PAT
    EXPECT_NE(ask(1).edx & (1U << feature), 0U) << feature;
  }
}

TEST(CpuidPolicy, LeavesAreBounded) {
  EXPECT_EQ(ask(0).eax, 0xdU);
  EXPECT_EQ(ask(0x80000000).eax, 0x80000008U);
  EXPECT_EQ(cpuid_policy({}, 0, 0, [](auto, auto) { return CpuidResult{7, 1, 2, 3}; }).eax, 7U);
}

TEST(CpuidPolicy, WhatTheHypervisorGivesItselfNeedsNoHost) {
  const CpuidResult one = cpuid_policy({}, 1, 0, nothing);
  EXPECT_NE(one.ecx & (1U << 31), 0U);
  EXPECT_NE(one.ecx & (1U << 21), 0U);
  EXPECT_EQ(one.edx, 1U << 28);
}

TEST(CpuidPolicy, XenLeaves) {
  const CpuidVcpu vcpu{.domain = 7, .vcpu = 3, .tsc_khz = 2'300'000};
  const CpuidResult signature = ask(0x40000000, 0, vcpu);
  EXPECT_GE(signature.eax, 0x40000004U);
  EXPECT_EQ(signature.ebx, 0x566e6558U);
  EXPECT_EQ(ask(0x40000001, 0, vcpu).eax, 0x00040011U);
  EXPECT_EQ(ask(0x40000002, 0, vcpu).ebx, 0x40000000U);
  EXPECT_EQ(ask(0x40000003, 0, vcpu).ebx, 0U);
  EXPECT_EQ(ask(0x40000003, 0, vcpu).ecx, 2'300'000U);
  EXPECT_EQ(ask(0x40000003, 0, vcpu).edx, 1U);
  const CpuidResult hvm = ask(0x40000004, 0, vcpu);
  EXPECT_EQ(hvm.eax, 0x5cU);
  EXPECT_EQ(hvm.ebx, 3U);
  EXPECT_EQ(hvm.ecx, 7U);
}

TEST(CpuidPolicy, TopologyGivesEachVcpuItsOwnApicId) {
  const CpuidVcpu vcpu{.vcpu = 3, .apic_id = 6};
  EXPECT_EQ(ask(1, 0, vcpu).ebx >> 24, 6U);
  for (const std::uint32_t level : {0U, 1U, 2U}) {
    EXPECT_EQ(ask(0xb, level, vcpu).edx, 6U);
    EXPECT_EQ(ask(0xb, level, vcpu).ecx, level);
    EXPECT_EQ(ask(0xb, level, vcpu).ebx, 0U);
  }
  EXPECT_EQ(ask(0x80000001).ecx & 2, 0U) << "CMP_LEGACY";
}

TEST(CpuidPolicy, AllVcpusAreInOnePackageWithEverySecondId) {
  const auto logical = [](std::uint32_t n) { return ask(1, 0, {.vcpus = n}).ebx >> 16 & 0xff; };
  EXPECT_EQ(logical(1), 2U);
  EXPECT_EQ(logical(2), 4U);
  EXPECT_EQ(logical(128), 255U);
  const auto cores = [](std::uint32_t n) { return ask(0x80000008, 0, {.vcpus = n}).ecx; };
  EXPECT_EQ(cores(1), 0x1001U);
  EXPECT_EQ(cores(2), 0x2003U) << "as Xen says on a host with two";
  EXPECT_EQ(cores(3), 0x3005U);
  EXPECT_EQ(cores(128), 0x80ffU);
}

TEST(TscScale, AgreesWithTheRateFromSlowToFast) {
  for (const std::uint64_t khz :
       {400'000ULL, 999'999ULL, 1'000'000ULL, 2'300'000ULL, 5'100'000ULL}) {
    const TscScale scale = TscScale::from_khz(khz);
    const std::uint64_t hour = 3600;
    const std::uint64_t ns = scale.to_ns(khz * 1000 * hour);
    EXPECT_NEAR(static_cast<double>(ns), 3600e9, 3600e9 * 1e-9 + 2) << khz;
  }
}

TEST(TscScale, NeverGoesBack) {
  const TscScale scale = TscScale::from_khz(2'299'998);
  std::uint64_t before = 0;
  for (std::uint64_t tsc = 1ULL << 40; tsc < (1ULL << 40) + 10'000; ++tsc) {
    const std::uint64_t now = scale.to_ns(tsc);
    ASSERT_GE(now, before);
    before = now;
  }
}

}  // namespace
}  // namespace hyp::x86
