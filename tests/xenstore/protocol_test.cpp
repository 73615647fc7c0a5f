// SPDX-License-Identifier: Apache-2.0
// The requests of xenstore.txt, one by one, as a client sees them.
#include "tests/xenstore/client_fixture.hpp"

namespace xl::xenstore {
namespace {

using fixture::ok;
using fixture::strings;
using fixture::TestClient;

class Protocol : public fixture::StoreTest {};

TEST_F(Protocol, WritesCreateParentsAndReadsGiveTheBytesBack) {
  const std::string value("a\0b", 3);
  EXPECT_EQ(zero.write("/tool/x/y", value), ok);
  EXPECT_EQ(zero.read("/tool/x/y"), value);
  EXPECT_EQ(zero.read("/tool/x"), "");
  EXPECT_EQ(zero.ask(XS_DIRECTORY, {"/tool"}), strings({"x"}));
}

TEST_F(Protocol, RelativePathsStartAtTheDomain) {
  EXPECT_EQ(guest.write("data/x", "1"), ok);
  EXPECT_EQ(zero.read("/local/domain/1/data/x"), "1");
}

TEST_F(Protocol, RefusesPathsThatAreNone) {
  for (const char* path :
       {"", "//", "/a//b", "/a/", "/a b", "/a\xc3\xa4", "@releaseDomain", "/a.b"}) {
    EXPECT_EQ(zero.read(path), strings({"EINVAL"})) << path;
  }
  EXPECT_EQ(zero.read('/' + std::string(3072, 'a')), strings({"EINVAL"}));
  EXPECT_EQ(guest.read(std::string(2049, 'a')), strings({"EINVAL"}));
  EXPECT_EQ(zero.ask(XS_READ, "/unterminated"), strings({"EINVAL"}));
  EXPECT_EQ(zero.ask(XS_READ, ""), strings({"EINVAL"}));
}

TEST_F(Protocol, MkdirKeepsWhatIsThere) {
  zero.write("/tool/x", "1");
  EXPECT_EQ(zero.ask(XS_MKDIR, {"/tool/x"}), ok);
  EXPECT_EQ(zero.read("/tool/x"), "1");
}

TEST_F(Protocol, RmTakesAllBelowAndNeedsTheParent) {
  zero.write("/tool/x/y/z", "1");
  EXPECT_EQ(zero.ask(XS_RM, {"/tool/x"}), ok);
  EXPECT_EQ(zero.read("/tool/x/y/z"), strings({"ENOENT"}));
  EXPECT_EQ(zero.ask(XS_RM, {"/tool/x"}), ok);
  EXPECT_EQ(zero.ask(XS_RM, {"/nothing/x"}), strings({"ENOENT"}));
  EXPECT_EQ(zero.ask(XS_RM, {"/"}), strings({"EINVAL"}));
}

TEST_F(Protocol, DirectoryPartGivesLongListsInPieces) {
  constexpr unsigned count = 2000;
  for (unsigned i = 0; i < count; ++i) {
    zero.write("/tool/child" + std::to_string(i), "");
  }
  EXPECT_EQ(zero.ask(XS_DIRECTORY, {"/tool"}), strings({"E2BIG"}));
  std::string list;
  std::string generation;
  for (;;) {
    const std::string part = zero.ask(XS_DIRECTORY_PART, {"/tool", std::to_string(list.size())});
    const std::size_t names = part.find('\0') + 1;
    if (!generation.empty()) {
      EXPECT_EQ(part.substr(0, names), generation);
    }
    generation = part.substr(0, names);
    list += part.substr(names);
    if (list.ends_with(std::string_view("\0\0", 2))) {
      break;
    }
    ASSERT_LT(list.size(), 100000U);
  }
  EXPECT_EQ(std::count(list.begin(), list.end(), '\0'), count + 1);
  zero.write("/tool/another", "");
  EXPECT_NE(zero.ask(XS_DIRECTORY_PART, {"/tool", "0"}).substr(0, generation.size()), generation);
  EXPECT_EQ(zero.ask(XS_DIRECTORY_PART, {"/tool", "999999"}), strings({"EINVAL"}));
}

TEST_F(Protocol, PermissionsDecideWhoReadsAndWrites) {
  EXPECT_EQ(guest.read("/local/domain/1"), "");
  EXPECT_EQ(guest.write("/local/domain/1/mine", "1"), strings({"EACCES"}));
  EXPECT_EQ(guest.write("data/mine", "1"), ok);
  EXPECT_EQ(other.read("/local/domain/1/data/mine"), strings({"EACCES"}));
  EXPECT_EQ(guest.ask(XS_GET_PERMS, {"data/mine"}), strings({"n1"}));
  EXPECT_EQ(guest.ask(XS_SET_PERMS, {"data/mine", "n1", "r2"}), ok);
  EXPECT_EQ(other.read("/local/domain/1/data/mine"), "1");
  EXPECT_EQ(other.write("/local/domain/1/data/mine", "2"), strings({"EACCES"}));
  EXPECT_EQ(guest.ask(XS_SET_PERMS, {"data/mine", "n2"}), strings({"EPERM"})) << "giving away";
  EXPECT_EQ(other.ask(XS_SET_PERMS, {"/local/domain/1/data/mine", "b2"}), strings({"EACCES"}));
  for (const char* bad : {"", "x1", "r", "r-1", "r99999", "r1x"}) {
    EXPECT_EQ(guest.ask(XS_SET_PERMS, {"data/mine", bad}), strings({"EINVAL"})) << bad;
  }
}

TEST_F(Protocol, WhatMayNotBeSeenIsNotSaidToBeMissing) {
  EXPECT_EQ(other.read("/local/domain/1/data/nothing"), strings({"EACCES"}));
  EXPECT_EQ(guest.read("data/nothing"), strings({"ENOENT"}));
}

TEST_F(Protocol, ANewNodeBelongsToItsCreator) {
  zero.ask(XS_SET_PERMS, {"/local/domain/1/data", "n1", "b2"});
  EXPECT_EQ(other.write("/local/domain/1/data/theirs", ""), ok);
  EXPECT_EQ(zero.ask(XS_GET_PERMS, {"/local/domain/1/data/theirs"}), strings({"n2", "b2"}));
}

TEST_F(Protocol, TellsAboutDomains) {
  EXPECT_EQ(guest.ask(XS_GET_DOMAIN_PATH, {"7"}), strings({"/local/domain/7"}));
  EXPECT_EQ(guest.ask(XS_IS_DOMAIN_INTRODUCED, {"1"}), strings({"F"}));
  store.introduce(DomId(1), guest.connection);
  EXPECT_EQ(zero.ask(XS_IS_DOMAIN_INTRODUCED, {"1"}), strings({"T"}));
  EXPECT_EQ(guest.ask(XS_RELEASE, {"1"}), strings({"EACCES"}));
  EXPECT_EQ(zero.ask(XS_INTRODUCE, {"1", "4", "1"}), ok);
  EXPECT_EQ(zero.ask(XS_INTRODUCE, {"9", "4", "1"}), strings({"ENOENT"}));
  EXPECT_EQ(zero.ask(XS_RELEASE, {"1"}), ok);
  EXPECT_TRUE(guest.connection.broken());
  EXPECT_EQ(zero.ask(XS_GET_DOMAIN_PATH, {"70000"}), strings({"EINVAL"}));
}

TEST_F(Protocol, ATargetsRightsComeWithIt) {
  store.introduce(DomId(1), guest.connection);
  store.introduce(DomId(2), other.connection);
  EXPECT_EQ(guest.ask(XS_SET_TARGET, {"2", "1"}), strings({"EACCES"}));
  EXPECT_EQ(zero.ask(XS_SET_TARGET, {"2", "1"}), ok);
  EXPECT_EQ(other.write("/local/domain/1/data/x", "1"), ok);
}

TEST_F(Protocol, UnknownRequestsAreRefused) {
  for (const std::uint32_t type : {20U, 27U, 99U, 0xffffU, std::uint32_t{XS_WATCH_EVENT}}) {
    EXPECT_EQ(guest.ask(type, {""}), strings({"ENOSYS"})) << type;
  }
  EXPECT_EQ(guest.ask(XS_CONTROL, {"help"}), strings({"EACCES"}));
  EXPECT_EQ(zero.ask(XS_CONTROL, {"check"}), ok);
}

TEST_F(Protocol, MessagesMayComeInPieces) {
  const std::string message = encode(XS_WRITE, 1, 0, strings({"data/x"}) + "1");
  for (const char c : message) {
    ASSERT_EQ(guest.connection.receive(std::as_bytes(std::span(&c, 1))), 1U);
  }
  EXPECT_EQ(zero.read("/local/domain/1/data/x"), "1");
}

TEST_F(Protocol, APayloadThatIsTooLongEndsTheConnection) {
  const Header header{XS_WRITE, 1, 0, 4097};
  EXPECT_EQ(guest.connection.receive(std::as_bytes(std::span(&header, 1))), sizeof header);
  EXPECT_TRUE(guest.connection.broken());
  EXPECT_EQ(guest.connection.receive(std::as_bytes(std::span(&header, 1))), 0U);
}

TEST_F(Protocol, RepliesThatAreNotFetchedHoldRequestsBack) {
  const std::string message = encode(XS_READ, 1, 0, strings({"data"}));
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i) {
    taken += guest.connection.receive(std::as_bytes(std::span(message)));
  }
  EXPECT_LE(taken, 3 * message.size());
  std::vector<std::byte> room(4096);
  EXPECT_GT(guest.connection.send(room), 0U);
  EXPECT_EQ(guest.connection.receive(std::as_bytes(std::span(message))), message.size());
}

}  // namespace
}  // namespace xl::xenstore
