// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/build.hpp"

#include <gtest/gtest.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/grant_table.h>
#include <xen/hvm/params.h>

#include <cstring>
#include <filesystem>

#include "hypervisor-iface/fake/fake_hypervisor.hpp"
#include "tests/libdomainbuilder/fixtures/images.hpp"
#include "tests/libdomainbuilder/fixtures/temp_dir.hpp"

namespace xl::build {
namespace {

using namespace fixture;
using hv::fake::Call;

class BuildTest : public testing::Test {
 protected:
  void SetUp() override {
    Blob ramdisk(10 << 20);
    for (std::size_t i = 0; i < ramdisk.size(); ++i) {
      ramdisk[i] = static_cast<std::byte>(i / 4096 + 1);
    }
    request_.kernel = directory_.write("vmlinuz", pvh_kernel());
    request_.ramdisk = directory_.write("initrd", ramdisk);
    request_.command_line = "console=hvc0";
    request_.memory = request_.max_memory = mib(32);
    request_.vcpus = 1;
    request_.max_vcpus = 2;
  }

  Prepared prepared() {
    auto result = prepare(request_, cache_);
    EXPECT_TRUE(result) << describe(result.error());
    return std::move(result).value();
  }
  DomId create(const Prepared& prepared) {
    hv::DomainOptions options;
    options.max_vcpus = request_.max_vcpus;
    options.max_memory = prepared.pages_needed();
    return *hypervisor_.create_domain(options);
  }
  std::string prepare_fault() {
    const auto result = prepare(request_, cache_);
    return result ? std::string() : describe(result.error());
  }
  template <typename T>
  T guest(DomId domain, std::uint64_t at) {
    T value{};
    EXPECT_TRUE(hypervisor_.guest_read(domain, GuestPhys(at),
                                       std::as_writable_bytes(std::span(&value, 1))));
    return value;
  }
  std::string text(DomId domain, std::uint64_t at, std::size_t size) {
    std::string value(size, '?');
    EXPECT_TRUE(
        hypervisor_.guest_read(domain, GuestPhys(at), std::as_writable_bytes(std::span(value))));
    return value;
  }
  std::uint64_t param(DomId domain, std::uint32_t index) {
    return hypervisor_.get_hvm_param(domain, index).value_or(~0ULL);
  }

  TempDir directory_;
  ImageCache cache_{mib(64)};
  hv::fake::FakeHypervisor hypervisor_;
  BuildRequest request_;
};

TEST_F(BuildTest, TheGuestFindsKernelRamdiskAndStartInfo) {
  const Prepared plan = prepared();
  const DomId domain = create(plan);
  const auto built = execute(hypervisor_, domain, plan);
  ASSERT_TRUE(built) << describe(built.error());
  const auto context = hypervisor_.get_vcpu_context(domain, VcpuId(0));
  ASSERT_TRUE(context);
  EXPECT_EQ(context->rip, 0x100000u);
  EXPECT_EQ(guest<std::uint8_t>(domain, 0x100000), 0x90);
  EXPECT_EQ(guest<std::uint8_t>(domain, 0x102000), 0x00);
  EXPECT_EQ(guest<std::uint8_t>(domain, 0x103fff), 0x90);
  const auto head = guest<hvm_start_info>(domain, context->rbx);
  EXPECT_EQ(head.magic, 0x336ec578u);
  const auto module = guest<hvm_modlist_entry>(domain, head.modlist_paddr);
  EXPECT_EQ(module.size, 10u << 20);
  for (std::uint64_t page = 0; page < 2560; page += 100) {
    EXPECT_EQ(guest<std::uint8_t>(domain, module.paddr + page * 4096),
              static_cast<std::uint8_t>(page + 1));
  }
  EXPECT_EQ(text(domain, head.rsdp_paddr, 8), "RSD PTR ");
  EXPECT_EQ(text(domain, head.cmdline_paddr, 13), std::string("console=hvc0\0", 13));
}

TEST_F(BuildTest, ThePlatformIsWhatLibxlSets) {
  const Prepared plan = prepared();
  const DomId domain = create(plan);
  const auto built = execute(hypervisor_, domain, plan);
  ASSERT_TRUE(built);
  EXPECT_EQ(param(domain, HVM_PARAM_STORE_PFN), 0xfeffcu);
  EXPECT_EQ(param(domain, HVM_PARAM_CONSOLE_PFN), 0xfefffu);
  EXPECT_EQ(param(domain, HVM_PARAM_STORE_EVTCHN), built->xenstore_port.value());
  EXPECT_EQ(param(domain, HVM_PARAM_CONSOLE_EVTCHN), built->console_port.value());
  EXPECT_NE(built->xenstore_port, built->console_port);
  EXPECT_TRUE(hypervisor_.event_bind(domain, built->console_port));
  EXPECT_TRUE(hypervisor_.event_bind(domain, built->xenstore_port));
  const auto grants = hypervisor_.guest_grants(domain);
  ASSERT_TRUE(grants);
  ASSERT_EQ(grants->size(), 2u);
  EXPECT_EQ((*grants)[0].ref, GrantRef(GNTTAB_RESERVED_CONSOLE));
  EXPECT_EQ((*grants)[0].frame, built->console_frame);
  EXPECT_EQ((*grants)[1].ref, GrantRef(GNTTAB_RESERVED_XENSTORE));
  EXPECT_EQ((*grants)[1].frame, built->xenstore_frame);
  const auto map = hypervisor_.guest_memory_map(domain);
  ASSERT_TRUE(map);
  ASSERT_EQ(map->size(), plan.layout.memory_map.size());
  EXPECT_EQ((*map)[0].size, mib(32));
}

// Each request costs a round trip; the daemon's budget for a tiny create is 1 ms.
TEST_F(BuildTest, NineRequests) {
  const Prepared plan = prepared();
  const DomId domain = create(plan);
  hypervisor_.clear_history();
  ASSERT_TRUE(execute(hypervisor_, domain, plan));
  EXPECT_EQ(hypervisor_.calls(), 9u);
  EXPECT_EQ(hypervisor_.calls(Call::populate_physmap), 1u);
}

TEST_F(BuildTest, WithoutAcpiOrRamdisk) {
  request_.acpi = false;
  request_.ramdisk.clear();
  const Prepared plan = prepared();
  const DomId domain = create(plan);
  ASSERT_TRUE(execute(hypervisor_, domain, plan));
  const auto head =
      guest<hvm_start_info>(domain, hypervisor_.get_vcpu_context(domain, VcpuId(0))->rbx);
  EXPECT_EQ(head.rsdp_paddr, 0u);
  EXPECT_EQ(head.nr_modules, 0u);
  EXPECT_EQ(guest<std::uint8_t>(domain, 0x100000), 0x90);
}

TEST_F(BuildTest, OldLinuxFindsTheRootPointerInTheBiosArea) {
  ElfSpec spec = pvh_spec();
  spec.notes = make_notes(
      {text_note(NoteType::guest_os, "linux"), number_note(NoteType::phys32_entry, 0x100000, 4)});
  request_.kernel = directory_.write("old", make_elf(spec));
  const Prepared plan = prepared();
  const DomId domain = create(plan);
  ASSERT_TRUE(execute(hypervisor_, domain, plan));
  const auto head =
      guest<hvm_start_info>(domain, hypervisor_.get_vcpu_context(domain, VcpuId(0))->rbx);
  EXPECT_EQ(head.rsdp_paddr, 0xfffc0u);
  EXPECT_EQ(guest<std::uint64_t>(domain, 0xfffc0), guest<std::uint64_t>(domain, 0xfc000000));
}

TEST_F(BuildTest, EveryCallMayFailAndNothingStaysBehind) {
  const Prepared plan = prepared();
  for (std::uint64_t number = 1; number <= 9; ++number) {
    const DomId domain = create(plan);
    hypervisor_.clear_history();
    hypervisor_.fail_call(number);
    EXPECT_FALSE(execute(hypervisor_, domain, plan)) << number;
    hypervisor_.clear_faults();
    EXPECT_TRUE(hypervisor_.destroy_domain(domain));
    EXPECT_EQ(hypervisor_.usage(), hv::fake::Usage{}) << number;
  }
}

TEST_F(BuildTest, CancelledBeforeAndWithin) {
  const Prepared plan = prepared();
  std::stop_source stop;
  stop.request_stop();
  const DomId domain = create(plan);
  EXPECT_EQ(execute(hypervisor_, domain, plan, stop.get_token()).error().code,
            ErrorCode::interrupted);
  EXPECT_EQ(hypervisor_.calls(Call::populate_physmap), 0u);
  std::stop_source later;
  hypervisor_.set_hook([&](const hv::fake::CallRecord& call) {
    if (call.call == Call::map_frames) {
      later.request_stop();
    }
  });
  EXPECT_EQ(execute(hypervisor_, domain, plan, later.get_token()).error().code,
            ErrorCode::interrupted);
}

TEST_F(BuildTest, RamdiskThatShrinksMeanwhile) {
  const Prepared plan = prepared();
  std::filesystem::resize_file(request_.ramdisk, 4096);
  const DomId domain = create(plan);
  const auto built = execute(hypervisor_, domain, plan);
  ASSERT_FALSE(built);
  EXPECT_NE(built.error().message.find("became shorter while it was read"), std::string::npos);
}

TEST_F(BuildTest, PrepareNamesTheFile) {
  request_.ramdisk = directory_.path("none");
  EXPECT_NE(prepare_fault().find("cannot open '" + request_.ramdisk), std::string::npos);
  request_.ramdisk = directory_.path(".");
  EXPECT_NE(prepare_fault().find("is a directory, not a ramdisk"), std::string::npos);
  request_.ramdisk = directory_.write("empty", {});
  EXPECT_NE(prepare_fault().find("is empty, not a ramdisk"), std::string::npos);
  request_.ramdisk.clear();
  request_.kernel = directory_.write("text", to_blob("hello"));
  EXPECT_NE(prepare_fault().find("'" + request_.kernel + "' is a text file"), std::string::npos);
}

TEST_F(BuildTest, ImpossibleRequests) {
  const auto refused = [&](auto change) {
    BuildRequest request = request_;
    change(request);
    const auto result = prepare(request, cache_);
    return !result && result.error().code == ErrorCode::invalid_argument;
  };
  EXPECT_TRUE(refused([](BuildRequest& request) { request.vcpus = 0; }));
  EXPECT_TRUE(refused([](BuildRequest& request) { request.vcpus = 3; }));
  EXPECT_TRUE(refused([](BuildRequest& request) { request.max_vcpus = 129; }));
  EXPECT_TRUE(refused([](BuildRequest& request) { request.memory = Bytes(100); }));
  EXPECT_TRUE(refused([](BuildRequest& request) { request.command_line.assign(4096, 'x'); }));
  EXPECT_TRUE(refused([](BuildRequest& request) { request.command_line.assign(1, '\0'); }));
}

// Larger than one slice; sizes that are no multiple of a page.
TEST_F(BuildTest, LargeKernelIsCopiedWhole) {
  ElfSpec spec = pvh_spec();
  Blob data((21 << 20) + 123);
  for (std::size_t i = 0; i < data.size(); i += 8) {
    const std::size_t left = std::min<std::size_t>(8, data.size() - i);
    std::memcpy(data.data() + i, &i, left);
  }
  spec.loads.push_back({0x400010, data});
  request_.kernel = directory_.write("large", make_elf(spec));
  request_.memory = mib(64);
  const Prepared plan = prepared();
  const DomId domain = create(plan);
  ASSERT_TRUE(execute(hypervisor_, domain, plan));
  Blob seen(data.size());
  ASSERT_TRUE(hypervisor_.guest_read(domain, GuestPhys(0x400010), seen));
  EXPECT_EQ(seen, data);
}

TEST_F(BuildTest, PhasesAreTimed) {
  const Prepared plan = prepared();
  const auto built = execute(hypervisor_, create(plan), plan);
  ASSERT_TRUE(built);
  std::vector<std::string> names;
  for (const PhaseTime& phase : built->phases) {
    names.emplace_back(phase.phase);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"image", "layout", "populate", "load", "initrd",
                                             "platform"}));
}

}  // namespace
}  // namespace xl::build
