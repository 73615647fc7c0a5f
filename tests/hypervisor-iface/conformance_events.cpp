// SPDX-License-Identifier: Apache-2.0
// Event channels and grants, as far as no guest has to run for them.
#include <poll.h>

#include <algorithm>

#include "tests/hypervisor-iface/conformance.hpp"

namespace xl::hv {
namespace {

bool readable(int fd, int timeout_ms) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, timeout_ms) == 1;
}

TEST_F(Conformance, BoundPortStartsPendingOnce) {
  const DomId domain = make_domain(Pages(0));
  ASSERT_TRUE(ok(hv().take_events()));
  const auto port = hv().event_alloc_unbound(domain, DomId(0));
  ASSERT_TRUE(ok(port));
  EXPECT_NE(port->value(), 0U);
  const auto binding = hv().event_bind(domain, *port);
  ASSERT_TRUE(ok(binding));
  EXPECT_EQ(binding->remote, *port);
  ASSERT_TRUE(readable(hv().event_fd(), 2000));
  EXPECT_EQ(hv().take_events()->ports, std::vector{binding->local});
  EXPECT_TRUE(hv().take_events()->ports.empty());
  EXPECT_TRUE(ok(hv().event_notify(binding->local)));
  EXPECT_TRUE(ok(hv().event_close(binding->local)));
  EXPECT_TRUE(fails(hv().event_close(binding->local), ErrorCode::not_found));
  EXPECT_TRUE(fails(hv().event_notify(binding->local), ErrorCode::not_found));
}

TEST_F(Conformance, PortIsBoundOnceAndAgainAfterClose) {
  const DomId domain = make_domain(Pages(0));
  const auto port = hv().event_alloc_unbound(domain, DomId(0));
  ASSERT_TRUE(ok(port));
  const auto first = hv().event_bind(domain, *port);
  ASSERT_TRUE(ok(first));
  EXPECT_TRUE(fails(hv().event_bind(domain, *port), ErrorCode::invalid_argument));
  ASSERT_TRUE(ok(hv().event_close(first->local)));
  EXPECT_TRUE(ok(hv().event_bind(domain, *port)));
}

TEST_F(Conformance, OnlyWhatIsOpenToDomain0CanBeBound) {
  const DomId domain = make_domain(Pages(0));
  const DomId other = make_domain(Pages(0));
  const auto port = hv().event_alloc_unbound(domain, other);
  ASSERT_TRUE(ok(port));
  EXPECT_TRUE(fails(hv().event_bind(domain, *port), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().event_bind(domain, EventPort(0)), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().event_bind(domain, EventPort(77)), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().event_bind(domain, EventPort(~0U)), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().event_notify(EventPort(~0U)), ErrorCode::not_found));
  EXPECT_TRUE(fails(hv().event_close(EventPort(0)), ErrorCode::not_found));
}

TEST_F(Conformance, PortsOfADomainRunOut) {
  const DomId domain = make_domain(Pages(0));
  std::size_t made = 0;
  for (; made < 5000; ++made) {
    const auto port = hv().event_alloc_unbound(domain, DomId(0));
    if (!port) {
      EXPECT_TRUE(fails(port, ErrorCode::limit));
      break;
    }
  }
  EXPECT_GE(made, 1000U);
  EXPECT_LT(made, 5000U);
}

TEST_F(Conformance, DestroyFreesDomain0sPorts) {
  std::uint32_t highest = 0;
  for (int round = 0; round < 3; ++round) {
    const DomId domain = make_domain(Pages(0));
    std::vector<EventPort> locals;
    for (int i = 0; i < 100; ++i) {
      const auto port = hv().event_alloc_unbound(domain, DomId(0));
      ASSERT_TRUE(ok(port));
      const auto binding = hv().event_bind(domain, *port);
      ASSERT_TRUE(ok(binding));
      locals.push_back(binding->local);
    }
    const std::uint32_t last = std::max_element(locals.begin(), locals.end())->value();
    EXPECT_LE(last, traits().is_ours ? 101U : round == 0 ? last : highest) << "ports leak";
    highest = std::max(highest, last);
    destroy(domain);
    for (const EventPort local : locals) {
      EXPECT_TRUE(fails(hv().event_close(local), ErrorCode::not_found));
    }
  }
}

TEST_F(Conformance, DestroyIsAnnounced) {
  const DomId domain = make_domain(Pages(0));
  ASSERT_TRUE(ok(hv().take_events()));
  destroy(domain);
  ASSERT_TRUE(readable(hv().event_fd(), 2000));
  EXPECT_EQ(hv().take_events()->changed_domains, std::vector{domain});
}

TEST_F(Conformance, SeededGrantIsMappedByItsPeer) {
  const DomId domain = make_domain(Pages(64));
  const GrantSeed seeds[] = {{GrantRef(0), Gfn(5), DomId(0)}, {GrantRef(1), Gfn(6), DomId(9)}};
  ASSERT_TRUE(ok(hv().grant_seed(domain, seeds)));
  const std::byte mark[] = {std::byte{1}, std::byte{2}};
  ASSERT_TRUE(ok(hv().copy_to_guest(domain, to_phys(Gfn(5)), mark)));
  const auto mapping = hv().grant_map(domain, GrantRef(0), true);
  ASSERT_TRUE(ok(mapping));
  ASSERT_EQ(mapping->segments().size(), 1U);
  EXPECT_EQ(mapping->segments()[0].bytes.size(), page_size);
  EXPECT_EQ(mapping->segments()[0].bytes[1], std::byte{2});
  EXPECT_TRUE(fails(hv().grant_map(domain, GrantRef(1), true), ErrorCode::permission_denied));
  EXPECT_TRUE(fails(hv().grant_map(domain, GrantRef(77), false), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(hv().grant_map(domain, GrantRef(~0U), false), ErrorCode::invalid_argument));
}

TEST_F(Conformance, SeedingRefusesReferencesOutOfRange) {
  const DomId domain = make_domain(Pages(64));
  const GrantSeed seeds[] = {{GrantRef(0), Gfn(5), DomId(0)}, {GrantRef(~0U), Gfn(6), DomId(0)}};
  EXPECT_TRUE(fails(hv().grant_seed(domain, seeds), ErrorCode::invalid_argument));
}

}  // namespace
}  // namespace xl::hv
