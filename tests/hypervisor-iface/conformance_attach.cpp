// SPDX-License-Identifier: Apache-2.0
// What a process finds that comes after another, and the end of it all.
#include <algorithm>
#include <set>

#include "tests/hypervisor-iface/conformance.hpp"

namespace xl::hv {
namespace {

using Binding = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;

std::set<Binding> bindings(Hypervisor& hv) {
  std::set<Binding> all;
  const auto listed = hv.event_bindings();
  EXPECT_TRUE(ok(listed));
  for (const HostBinding& binding : listed ? *listed : std::vector<HostBinding>()) {
    all.emplace(binding.local.value(), binding.domain.value(), binding.remote.value());
  }
  return all;
}

TEST_F(Conformance, BindingsAreListed) {
  EXPECT_TRUE(bindings(hv()).empty());
  std::set<Binding> expected;
  for (const DomId domain : {make_domain(Pages(0)), make_domain(Pages(0))}) {
    for (int i = 0; i < 300; ++i) {  // more than one answer's worth
      const auto port = hv().event_alloc_unbound(domain, DomId(0));
      ASSERT_TRUE(ok(port));
      const auto binding = hv().event_bind(domain, *port);
      ASSERT_TRUE(ok(binding));
      expected.emplace(binding->local.value(), domain.value(), port->value());
    }
    ASSERT_TRUE(ok(hv().event_alloc_unbound(domain, DomId(0)))) << "not bound: not listed";
  }
  EXPECT_EQ(bindings(hv()), expected);
  const Binding first = *expected.begin();
  ASSERT_TRUE(ok(hv().event_close(EventPort(std::get<0>(first)))));
  expected.erase(first);
  EXPECT_EQ(bindings(hv()), expected);
}

TEST_F(Conformance, DomainsAndBindingsOutliveTheObject) {
  const DomId domain = make_domain(Pages(1024));
  const DomId down = make_domain(Pages(0));
  ASSERT_TRUE(ok(hv().shutdown_domain(down, ShutdownReason::reboot)));
  const auto port = hv().event_alloc_unbound(domain, DomId(0));
  ASSERT_TRUE(ok(port));
  const auto binding = hv().event_bind(domain, *port);
  ASSERT_TRUE(ok(binding));
  const GrantSeed seed{GrantRef(1), Gfn(5), DomId(0)};
  ASSERT_TRUE(ok(hv().grant_seed(domain, std::span(&seed, 1))));
  const auto before = traits().bindings_outlive_the_object ? bindings(hv()) : std::set<Binding>();
  ASSERT_TRUE(ok(hv().take_events()));
  EXPECT_TRUE(hv().take_events()->ports.empty());

  attach_again();
  const auto info = hv().domain_info(domain);
  ASSERT_TRUE(ok(info));
  EXPECT_EQ(info->memory, Pages(1024));
  EXPECT_EQ(bindings(hv()), before);
  const auto pending = hv().take_events();
  ASSERT_TRUE(ok(pending));
  EXPECT_EQ(pending->changed_domains, std::vector{down});
  EXPECT_TRUE(ok(hv().grant_map(domain, GrantRef(1), true)));
  if (!traits().bindings_outlive_the_object) {
    EXPECT_TRUE(pending->ports.empty());
    EXPECT_TRUE(fails(hv().event_notify(binding->local), ErrorCode::not_found));
    const auto again = hv().event_bind(domain, *port);  // the guest's end is as it was made
    ASSERT_TRUE(ok(again));
    EXPECT_TRUE(ok(hv().event_close(again->local)));
    return;
  }
  EXPECT_EQ(pending->ports, std::vector{binding->local}) << "all that is bound";
  EXPECT_TRUE(ok(hv().event_notify(binding->local)));
  EXPECT_TRUE(ok(hv().event_close(binding->local)));
}

TEST_F(Conformance, WhatIsTheHostsIsNotPoweredOff) {
  if (traits().is_ours) {
    GTEST_SKIP() << "a hypervisor of its own";
  }
  const DomId domain = make_domain(Pages(0));
  EXPECT_TRUE(fails(hv().power_off(), ErrorCode::not_supported));
  EXPECT_TRUE(ok(hv().domain_info(domain)));
}

TEST_F(Conformance, PowerOffEndsEverything) {
  if (!traits().is_ours) {
    GTEST_SKIP() << "the host's hypervisor";
  }
  const std::unique_ptr<Backend> own = make_backend();
  ASSERT_TRUE(own);
  DomainOptions options;
  options.max_memory = Pages(64);
  const auto domain = own->hypervisor().create_domain(options);
  ASSERT_TRUE(ok(domain));
  EXPECT_TRUE(ok(own->hypervisor().power_off()));
  EXPECT_TRUE(fails(own->hypervisor().ping(), ErrorCode::hypervisor_gone));
  EXPECT_TRUE(fails(own->hypervisor().domain_info(*domain), ErrorCode::hypervisor_gone));
  const auto pending = own->hypervisor().take_events();
  ASSERT_TRUE(ok(pending));
  EXPECT_TRUE(pending->hypervisor_gone);
}

}  // namespace
}  // namespace xl::hv
