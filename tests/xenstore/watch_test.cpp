// SPDX-License-Identifier: Apache-2.0
#include "tests/xenstore/client_fixture.hpp"

namespace xl::xenstore {
namespace {

using fixture::ok;
using fixture::strings;
using fixture::TestClient;
using Paths = std::vector<std::string>;

class Watches : public fixture::StoreTest {};

TEST_F(Watches, FireOnceWhenSetAndThenForEveryChangeBelow) {
  EXPECT_EQ(zero.ask(XS_WATCH, {"/tool", "t"}), ok);
  EXPECT_EQ(zero.events(), Paths{"/tool"});
  zero.write("/tool/x", "1");
  zero.write("/tools", "");
  zero.ask(XS_SET_PERMS, {"/tool/x", "n0", "r1"});
  zero.ask(XS_RM, {"/tool/x"});
  EXPECT_EQ(zero.events(), (Paths{"/tool/x", "/tool/x", "/tool/x"}));
  EXPECT_EQ(zero.ask(XS_WATCH, {"/tool", "t"}), strings({"EEXIST"}));
  EXPECT_EQ(zero.ask(XS_UNWATCH, {"/tool", "t"}), ok);
  EXPECT_EQ(zero.ask(XS_UNWATCH, {"/tool", "t"}), strings({"ENOENT"}));
  zero.write("/tool/x", "1");
  EXPECT_EQ(zero.events(), Paths{});
}

TEST_F(Watches, OfRelativePathsHearRelativePaths) {
  guest.ask(XS_WATCH, {"data", "t"});
  EXPECT_EQ(guest.events(), Paths{"data"});
  zero.write("/local/domain/1/data/x", "1");
  EXPECT_EQ(guest.events(), Paths{"data/x"});
  EXPECT_EQ(guest.wakeups, 1U) << "another client's change wakes";
}

TEST_F(Watches, ReachNoDeeperThanAsked) {
  zero.ask(XS_WATCH, {"/tool", "t", "1"});
  zero.events();
  zero.write("/tool/x", "");
  zero.write("/tool/x/y", "");
  EXPECT_EQ(zero.events(), Paths{"/tool/x"});
  EXPECT_EQ(zero.ask(XS_WATCH, {"/tool", "u", "x"}), strings({"EINVAL"}));
}

TEST_F(Watches, OnTheRootHearEverything) {
  zero.ask(XS_WATCH, {"/", "t"});
  zero.events();
  zero.write("/tool/x", "");
  EXPECT_EQ(zero.events(), Paths{"/tool/x"});
}

TEST_F(Watches, HearOfARemovedParentUnderTheirOwnPath) {
  zero.write("/tool/x/y", "");
  zero.ask(XS_WATCH, {"/tool/x/y", "t"});
  zero.events();
  zero.ask(XS_RM, {"/tool"});
  EXPECT_EQ(zero.events(), Paths{"/tool/x/y"});
}

TEST_F(Watches, HearNothingTheyMayNotRead) {
  zero.write("/secret", "");
  zero.ask(XS_SET_PERMS, {"/secret", "n0"});
  guest.ask(XS_WATCH, {"/secret", "t"});
  EXPECT_EQ(guest.events(), Paths{"/secret"}) << "the first event says nothing";
  zero.write("/secret", "1");
  zero.ask(XS_WATCH, {"@releaseDomain", "t"});
  guest.ask(XS_WATCH, {"@releaseDomain", "t"});
  guest.events();
  zero.events();
  store.introduce(DomId(2), other.connection);
  store.release(DomId(2));
  EXPECT_EQ(guest.events(), Paths{});
  EXPECT_EQ(zero.events(), Paths{"@releaseDomain"});
  EXPECT_EQ(guest.ask(XS_SET_PERMS, {"@releaseDomain", "n0", "r1"}), strings({"EACCES"}));
  EXPECT_EQ(zero.ask(XS_SET_PERMS, {"@releaseDomain", "n0", "r1"}), ok);
  store.introduce(DomId(2), other.connection);
  store.release(DomId(2));
  EXPECT_EQ(guest.events(), Paths{"@releaseDomain"});
}

TEST_F(Watches, HearOfATransactionWhenItIsCommitted) {
  zero.ask(XS_WATCH, {"/tool", "t"});
  zero.events();
  const std::uint32_t lost = zero.start();
  zero.write("/tool/lost", "", lost);
  zero.end(lost, "F");
  const std::uint32_t kept = zero.start();
  zero.write("/tool/kept", "", kept);
  EXPECT_EQ(zero.events(), Paths{});
  EXPECT_EQ(zero.end(kept), ok);
  EXPECT_EQ(zero.events(), Paths{"/tool/kept"});
}

TEST_F(Watches, OfAClosedConnectionAreGone) {
  {
    TestClient brief(store, 0);
    brief.ask(XS_WATCH, {"/tool", "t"});
  }
  zero.write("/tool", "");  // would touch the closed connection
  guest.ask(XS_WATCH, {"data", "t"});
  guest.events();
  EXPECT_EQ(guest.ask(XS_RESET_WATCHES, {""}), ok);
  zero.write("/local/domain/1/data", "1");
  EXPECT_EQ(guest.events(), Paths{});
}

TEST_F(Watches, EventsThatNobodyFetchesAreBoundedAndCounted) {
  guest.ask(XS_WATCH, {"data", "t"});
  guest.events();
  const std::size_t limit = store.default_limits().pending_events;
  for (std::size_t i = 0; i < 2 * limit; ++i) {
    zero.write("/local/domain/1/data/x" + std::to_string(i), "");
  }
  EXPECT_GE(store.hits(DomId(1)).pending_events, limit - 1);
  EXPECT_EQ(guest.events().size(), limit);
  // The same change again and again loses nothing: it is queued already.
  const std::uint64_t before = store.hits(DomId(1)).pending_events;
  for (std::size_t i = 0; i < limit; ++i) {
    zero.write("/local/domain/1/data/x" + std::to_string(i), "");
  }
  zero.write("/local/domain/1/data/x1", "");
  EXPECT_EQ(store.hits(DomId(1)).pending_events, before);
}

TEST_F(Watches, AreLimited) {
  for (std::size_t i = 0; i < store.default_limits().watches; ++i) {
    ASSERT_EQ(guest.ask(XS_WATCH, {"data", std::to_string(i)}), ok);
  }
  EXPECT_EQ(guest.ask(XS_WATCH, {"data", "more"}), strings({"E2BIG"}));
  EXPECT_EQ(store.hits(DomId(1)).watches, 1U);
}

}  // namespace
}  // namespace xl::xenstore
