// SPDX-License-Identifier: Apache-2.0
// Host, domains, platform, vcpus: each operation with good and with bad arguments.
#include <algorithm>
#include <cstdint>
#include <string>

#include <xen/hvm/params.h>
#include <xen/xen.h>

#include "hypervisor/abi/xen_version.hpp"
#include "tests/hypervisor-iface/conformance.hpp"

namespace xl::hv {
namespace {

TEST_F(Conformance, HostInfoAddsUp) {
  const auto info = hv().host_info();
  ASSERT_TRUE(ok(info));
  EXPECT_GE(info->cpus, 1U);
  EXPECT_GT(info->cpu_khz, 0U);
  EXPECT_LE(info->free_memory, info->total_memory);
  EXPECT_LE(info->scrub_pending, info->free_memory);
  EXPECT_EQ(info->version, std::string("4.17") + abi::xen_extra);
  EXPECT_NE(info->capabilities.find("hvm-3.0-x86_64"), std::string::npos);
}

TEST_F(Conformance, DomainIsCreatedPausedAndEmpty) {
  DomainOptions options;
  options.max_vcpus = 2;
  options.max_memory = Pages(100);
  options.handle = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  const auto domain = hv().create_domain(options);
  ASSERT_TRUE(ok(domain));
  EXPECT_NE(*domain, DomId(0));
  const auto info = hv().domain_info(*domain);
  ASSERT_TRUE(ok(info));
  EXPECT_EQ(info->id, *domain);
  EXPECT_EQ(info->handle, options.handle);
  EXPECT_TRUE(info->paused);
  EXPECT_FALSE(info->running);
  EXPECT_FALSE(info->shutdown);
  EXPECT_EQ(info->memory, Pages(0));
  EXPECT_EQ(info->max_memory, Pages(100));
  EXPECT_EQ(info->max_vcpus, 2U);
  EXPECT_EQ(info->vcpus_online, 0U);
  destroy(*domain);
}

TEST_F(Conformance, CreateRefusesVcpuCountsOutOfRange) {
  DomainOptions options;
  options.max_vcpus = 0;
  EXPECT_TRUE(fails(hv().create_domain(options), ErrorCode::invalid_argument));
  options.max_vcpus = 129;
  EXPECT_TRUE(fails(hv().create_domain(options), ErrorCode::invalid_argument));
}

TEST_F(Conformance, ListIsAscendingAndWhole) {
  std::vector<DomId> made;
  for (int i = 0; i < 150; ++i) {  // more than one answer's worth of records
    made.push_back(make_domain(Pages(0)));
  }
  const auto list = hv().list_domains();
  ASSERT_TRUE(ok(list));
  std::vector<DomId> listed;
  for (const DomainInfo& info : *list) {
    listed.push_back(info.id);
  }
  std::sort(made.begin(), made.end());
  EXPECT_EQ(listed, made);
}

TEST_F(Conformance, EveryOperationOnNoDomainIsNotFound) {
  constexpr auto code = ErrorCode::not_found;
  const Extent extent{Gfn(0), Pages(1)};
  const std::byte byte{};
  std::byte out{};
  const HvmParam param{HVM_PARAM_STORE_PFN, 1};
  const GrantSeed seed{GrantRef(0), Gfn(1), DomId(0)};
  EXPECT_TRUE(fails(hv().destroy_domain(no_domain), code));
  EXPECT_TRUE(fails(hv().pause(no_domain), code));
  EXPECT_TRUE(fails(hv().unpause(no_domain), code));
  EXPECT_TRUE(fails(hv().domain_info(no_domain), code));
  EXPECT_TRUE(fails(hv().shutdown_domain(no_domain, ShutdownReason::crash), code));
  EXPECT_TRUE(fails(hv().set_max_memory(no_domain, Pages(1)), code));
  EXPECT_TRUE(fails(hv().populate_physmap(no_domain, std::span(&extent, 1)), code));
  EXPECT_TRUE(fails(hv().map_frames(no_domain, extent), code));
  EXPECT_TRUE(fails(hv().copy_to_guest(no_domain, GuestPhys(0), std::span(&byte, 1)), code));
  EXPECT_TRUE(fails(hv().copy_from_guest(no_domain, GuestPhys(0), std::span(&out, 1)), code));
  EXPECT_TRUE(fails(hv().set_memory_map(no_domain, {}), code));
  EXPECT_TRUE(fails(hv().set_memory_target(no_domain, Pages(1), Excess::keep), code));
  EXPECT_TRUE(fails(hv().populated_extents(no_domain), code));
  EXPECT_TRUE(fails(hv().set_hvm_params(no_domain, std::span(&param, 1)), code));
  EXPECT_TRUE(fails(hv().get_hvm_param(no_domain, HVM_PARAM_STORE_PFN), code));
  EXPECT_TRUE(fails(hv().set_cpuid_policy(no_domain, {}), code));
  EXPECT_TRUE(fails(hv().get_vcpu_context(no_domain, VcpuId(0)), code));
  EXPECT_TRUE(fails(hv().set_vcpu_context(no_domain, VcpuId(0), {}), code));
  EXPECT_TRUE(fails(hv().vcpu_info(no_domain, VcpuId(0)), code));
  EXPECT_TRUE(fails(hv().set_scheduling(no_domain, {}), code));
  EXPECT_TRUE(fails(hv().scheduling(no_domain), code));
  EXPECT_TRUE(fails(hv().event_alloc_unbound(no_domain, DomId(0)), code));
  EXPECT_TRUE(fails(hv().event_bind(no_domain, EventPort(1)), code));
  EXPECT_TRUE(fails(hv().grant_seed(no_domain, std::span(&seed, 1)), code));
  EXPECT_TRUE(fails(hv().grant_map(no_domain, GrantRef(0), false), code));
  EXPECT_TRUE(fails(hv().counters(no_domain), code));
}

TEST_F(Conformance, TheLogGoesOnWhereItWasReadTo) {
  const auto all = hv().read_log(0);
  ASSERT_TRUE(ok(all));
  EXPECT_GE(all->next, all->text.size());
  const auto rest = hv().read_log(all->next);
  ASSERT_TRUE(ok(rest));
  EXPECT_EQ(rest->next - all->next, rest->text.size()) << "what has been logged meanwhile";
  if (!all->text.empty()) {
    const auto last = hv().read_log(all->next - 1);
    ASSERT_TRUE(ok(last));
    EXPECT_EQ(last->text.front(), all->text.back());
  }
}

TEST_F(Conformance, TheHostSaysWhatItIs) {
  const auto info = hv().host_info();
  ASSERT_TRUE(ok(info));
  EXPECT_TRUE(info->version.starts_with("4.17")) << info->version;
  EXPECT_NE(info->capabilities.find("hvm-3.0-x86_64"), std::string::npos) << info->capabilities;
  EXPECT_NE(info->virt_caps.find("hvm hap"), std::string::npos) << info->virt_caps;
  EXPECT_GT(info->cpus, 0U);
  EXPECT_GT(info->cpu_khz, 0U);
  EXPECT_GT(info->free_memory, Pages(0));
  EXPECT_LE(info->free_memory, info->total_memory);
  EXPECT_FALSE(info->scheduler.empty());
}

TEST_F(Conformance, PauseCounts) {
  const DomId domain = make_domain(Pages(0));
  EXPECT_TRUE(ok(hv().pause(domain)));
  EXPECT_TRUE(ok(hv().unpause(domain)));
  EXPECT_TRUE(hv().domain_info(domain)->paused);
  EXPECT_TRUE(ok(hv().unpause(domain)));
  EXPECT_FALSE(hv().domain_info(domain)->paused);
  EXPECT_TRUE(fails(hv().unpause(domain), ErrorCode::invalid_argument));
}

TEST_F(Conformance, ShutdownKeepsItsFirstReasonAndIsAnnounced) {
  const DomId domain = make_domain(Pages(0));
  ASSERT_TRUE(ok(hv().take_events()));
  EXPECT_TRUE(ok(hv().shutdown_domain(domain, ShutdownReason::reboot)));
  const auto info = hv().domain_info(domain);
  ASSERT_TRUE(ok(info));
  EXPECT_EQ(info->shutdown, ShutdownReason::reboot);
  const auto pending = hv().take_events();
  ASSERT_TRUE(ok(pending));
  EXPECT_EQ(pending->changed_domains, std::vector{domain});
}

TEST_F(Conformance, HvmParamsAreKept) {
  const DomId domain = make_domain(Pages(0));
  const HvmParam params[] = {{HVM_PARAM_STORE_PFN, 0xfeff0}, {HVM_PARAM_CONSOLE_PFN, 0xfeff1}};
  EXPECT_TRUE(ok(hv().set_hvm_params(domain, params)));
  const auto value = hv().get_hvm_param(domain, HVM_PARAM_CONSOLE_PFN);
  ASSERT_TRUE(ok(value));
  EXPECT_EQ(*value, 0xfeff1U);
  const HvmParam bad[] = {{HVM_PARAM_STORE_PFN, 1}, {HVM_NR_PARAMS, 1}};
  EXPECT_TRUE(fails(hv().set_hvm_params(domain, bad), ErrorCode::invalid_argument));
  EXPECT_EQ(*hv().get_hvm_param(domain, HVM_PARAM_STORE_PFN), 0xfeff0U) << "all or nothing";
  EXPECT_TRUE(fails(hv().get_hvm_param(domain, HVM_NR_PARAMS), ErrorCode::invalid_argument));
}

TEST_F(Conformance, MemoryMapAndCpuidPolicyHaveBounds) {
  const DomId domain = make_domain(Pages(0));
  std::vector<MemoryMapEntry> map(traits().memory_map_rows, {GuestPhys(0), kib(640), 1});
  for (std::size_t i = 0; i < map.size(); ++i) {
    map[i].start = GuestPhys(i << 20);
  }
  EXPECT_TRUE(ok(hv().set_memory_map(domain, map)));
  map.push_back({GuestPhys(1ULL << 40), kib(4), 2});
  EXPECT_TRUE(fails(hv().set_memory_map(domain, map), ErrorCode::invalid_argument));
  std::vector<CpuidLeaf> leaves(64);
  for (CpuidLeaf& leaf : leaves) {
    leaf.leaf = 0x80000006;  // caches, of which Xen believes anything
  }
  EXPECT_TRUE(ok(hv().set_cpuid_policy(domain, leaves)));
  leaves.push_back({});
  EXPECT_TRUE(fails(hv().set_cpuid_policy(domain, leaves), ErrorCode::invalid_argument));
  for (const std::uint32_t unknown : {0xeU, 0x12345U, 0x40000200U, 0x80000022U, 0xc0000000U}) {
    const CpuidLeaf leaf{unknown};
    EXPECT_TRUE(
        fails(hv().set_cpuid_policy(domain, std::span(&leaf, 1)), ErrorCode::invalid_argument))
        << std::hex << unknown;
  }
}

TEST_F(Conformance, VcpuContextBringsOnlineAndReadsBack) {
  const DomId domain = make_domain(Pages(1024), 2);
  VcpuContext context;
  context.rip = 0x100000;
  context.rbx = 0x1234;
  context.cr0 = 0x11;
  context.rflags = 2;
  context.cs = {0x8, 0xc9b, 0xffffffff, 0};
  context.ds = context.es = context.ss = {0x10, 0xc93, 0xffffffff, 0};
  context.tr = {0x18, 0x8b, 0x67, 0};
  EXPECT_FALSE(hv().vcpu_info(domain, VcpuId(0))->online);
  ASSERT_TRUE(ok(hv().set_vcpu_context(domain, VcpuId(0), context)));
  EXPECT_TRUE(hv().vcpu_info(domain, VcpuId(0))->online);
  EXPECT_FALSE(hv().vcpu_info(domain, VcpuId(1))->online);
  EXPECT_EQ(hv().domain_info(domain)->vcpus_online, 1U);
  const auto back = hv().get_vcpu_context(domain, VcpuId(0));
  ASSERT_TRUE(ok(back));
  EXPECT_EQ(back->rip, context.rip);
  EXPECT_EQ(back->rbx, context.rbx);
  EXPECT_EQ(back->cs.limit, context.cs.limit);
  EXPECT_EQ(back->cs.attributes, context.cs.attributes);
  EXPECT_EQ(back->ds.selector, context.ds.selector);
  EXPECT_TRUE(
      fails(hv().set_vcpu_context(domain, VcpuId(2), context), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().get_vcpu_context(domain, VcpuId(2)), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().vcpu_info(domain, VcpuId(2)), ErrorCode::invalid_argument));
}

TEST_F(Conformance, CountersAreForTheHostAndADomain) {
  const DomId domain = make_domain(Pages(0));
  EXPECT_TRUE(ok(hv().counters(domain)));
  EXPECT_TRUE(ok(hv().counters(std::nullopt)));
}

}  // namespace
}  // namespace xl::hv
