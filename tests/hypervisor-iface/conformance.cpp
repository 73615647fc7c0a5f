// SPDX-License-Identifier: Apache-2.0
#include "tests/hypervisor-iface/conformance.hpp"

#include <algorithm>

namespace xl::hv {

std::unique_ptr<Backend> Conformance::backend_;

namespace {

// What no domain has. The hypervisor keeps some frames for its own tables once it has needed them.
Pages free_and_overhead(const HostInfo& info) {
  return info.free_memory + Pages(info.hypervisor_overhead_pages);
}

}  // namespace

void Conformance::SetUp() {
  ASSERT_TRUE(backend_);
  const auto info = hv().host_info();
  ASSERT_TRUE(ok(info));
  free_before_ = free_and_overhead(*info);
}

void Conformance::TearDown() {
  for (const DomId domain : std::vector(made_)) {
    destroy(domain);
  }
  // Teardown goes on by itself for a moment after destroy.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const auto left = [&] {
    const auto domains = hv().list_domains();
    EXPECT_TRUE(ok(domains));
    return domains ? domains->size() : 0;
  };
  while (!traits().is_ours && left() != 0 && std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_EQ(left(), 0U);
  const auto leaked = [&]() -> std::uint64_t {
    const auto info = hv().host_info();
    EXPECT_TRUE(ok(info));
    const Pages now = info ? free_and_overhead(*info) : Pages(0);
    if (traits().is_ours) {
      return now == free_before_ ? 0 : 1;
    }
    return now + noise() >= free_before_ ? 0 : (free_before_ - now).count();
  };
  while (leaked() != 0 && std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_EQ(leaked(), 0U) << "frames leaked";
}

DomId Conformance::make_domain(Pages pages, std::uint32_t vcpus) {
  DomainOptions options;
  options.max_vcpus = vcpus;
  options.max_memory = pages + Pages(64);
  const auto domain = hv().create_domain(options);
  if (!domain) {
    ADD_FAILURE() << describe(domain.error());
    return no_domain;
  }
  made_.push_back(*domain);
  if (pages != Pages(0)) {
    const Extent all{Gfn(0), pages};
    EXPECT_TRUE(ok(hv().populate_physmap(*domain, std::span(&all, 1))));
  }
  return *domain;
}

void Conformance::destroy(DomId domain) {
  EXPECT_TRUE(ok(hv().destroy_domain(domain)));
  made_.erase(std::remove(made_.begin(), made_.end(), domain), made_.end());
}

}  // namespace xl::hv
