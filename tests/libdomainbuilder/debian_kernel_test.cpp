// SPDX-License-Identifier: Apache-2.0
// On Debian's own cloud kernel, when XL_TEST_DEBIAN_KERNEL names it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "hypervisor-iface/fake/fake_hypervisor.hpp"
#include "libdomainbuilder/build.hpp"

namespace xl::build {
namespace {

class DebianKernelTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* const path = std::getenv("XL_TEST_DEBIAN_KERNEL");
    if (path == nullptr || *path == '\0') {
      GTEST_SKIP() << "XL_TEST_DEBIAN_KERNEL does not name Debian's cloud kernel";
    }
    path_ = path;
  }
  std::string path_;
};

TEST_F(DebianKernelTest, IsDecoded) {
  const auto report = inspect(path_);
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_TRUE(report->problems.empty());
  EXPECT_EQ(report->container, Container::bzimage);
  EXPECT_EQ(report->compression, Compression::lz4);
  EXPECT_EQ(report->elf_class, 64);
  EXPECT_EQ(report->machine, Machine::x86_64);
  EXPECT_TRUE(report->can_boot(BootAbi::pvh));
  EXPECT_EQ(report->segments.size(), 4u);
  EXPECT_GE(report->notes.size(), 15u);
  EXPECT_NE(report->kernel_version.find("cloud-amd64"), std::string::npos);
}

TEST_F(DebianKernelTest, IsBuilt) {
  ImageCache cache(mib(256));
  BuildRequest request;
  request.kernel = path_;
  request.command_line = "console=hvc0";
  request.memory = request.max_memory = mib(128);
  const auto plan = prepare(request, cache);
  ASSERT_TRUE(plan) << describe(plan.error());
  hv::fake::FakeHypervisor hypervisor;
  hv::DomainOptions options;
  options.max_memory = plan->pages_needed();
  const auto domain = hypervisor.create_domain(options);
  ASSERT_TRUE(domain);
  const auto built = execute(hypervisor, *domain, *plan);
  ASSERT_TRUE(built) << describe(built.error());
  // The kernel's own bytes where its notes say that it starts.
  const auto context = hypervisor.get_vcpu_context(*domain, VcpuId(0));
  std::array<std::byte, 16> code{};
  ASSERT_TRUE(hypervisor.guest_read(*domain, GuestPhys(context->rip), code));
  EXPECT_NE(code, (std::array<std::byte, 16>{}));
}

}  // namespace
}  // namespace xl::build
