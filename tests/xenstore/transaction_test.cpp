// SPDX-License-Identifier: Apache-2.0
#include "tests/xenstore/client_fixture.hpp"

namespace xl::xenstore {
namespace {

using fixture::ok;
using fixture::strings;

class Transactions : public fixture::StoreTest {
 protected:
  Transactions() {
    zero.write("/tool/a", "1");
    zero.write("/tool/b", "1");
  }
};

TEST_F(Transactions, AreSeenByNobodyUntilTheyAreCommitted) {
  const std::uint32_t id = zero.start();
  zero.write("/tool/a", "2", id);
  zero.write("/tool/new/deep", "2", id);
  EXPECT_EQ(zero.read("/tool/a", id), "2");
  EXPECT_EQ(zero.ask(XS_DIRECTORY, {"/tool"}, id), strings({"a", "b", "new"}));
  EXPECT_EQ(zero.read("/tool/a"), "1");
  EXPECT_EQ(zero.read("/tool/new"), strings({"ENOENT"}));
  EXPECT_EQ(zero.end(id), ok);
  EXPECT_EQ(zero.read("/tool/a"), "2");
  EXPECT_EQ(zero.read("/tool/new/deep"), "2");
  EXPECT_EQ(zero.end(id), strings({"ENOENT"}));
}

TEST_F(Transactions, ConflictOnANodeThatWasReadOrWritten) {
  for (const bool reads : {true, false}) {
    const std::uint32_t id = zero.start();
    reads ? zero.read("/tool/a", id) : zero.write("/tool/a", "mine", id);
    zero.write("/tool/c", "", id);
    zero.write("/tool/a", "theirs");
    EXPECT_EQ(zero.end(id), strings({"EAGAIN"}));
    EXPECT_EQ(zero.read("/tool/a"), "theirs");
    EXPECT_EQ(zero.read("/tool/c"), strings({"ENOENT"}));
  }
}

TEST_F(Transactions, ConflictWhenANodeWentAndCameBack) {
  const std::uint32_t id = zero.start();
  zero.read("/tool/a", id);
  zero.ask(XS_RM, {"/tool/a"});
  zero.write("/tool/a", "1");
  EXPECT_EQ(zero.end(id), strings({"EAGAIN"}));
}

TEST_F(Transactions, ConflictOnANodeThatWasMissing) {
  const std::uint32_t id = zero.start();
  EXPECT_EQ(zero.read("/tool/c", id), strings({"ENOENT"}));
  zero.write("/tool/c", "");
  EXPECT_EQ(zero.end(id), strings({"EAGAIN"}));
}

TEST_F(Transactions, ConflictOnAListThatWasRead) {
  const std::uint32_t id = zero.start();
  zero.ask(XS_DIRECTORY, {"/tool"}, id);
  zero.write("/tool/c", "");
  EXPECT_EQ(zero.end(id), strings({"EAGAIN"}));
}

TEST_F(Transactions, ThatAreDisjointDoNotConflict) {
  const std::uint32_t first = zero.start();
  const std::uint32_t second = zero.start();
  zero.write("/tool/first", "", first);  // children of the same parent
  zero.write("/tool/second", "", second);
  zero.write("/tool/third", "");
  EXPECT_EQ(zero.end(first), ok);
  EXPECT_EQ(zero.end(second), ok);
  EXPECT_EQ(zero.ask(XS_DIRECTORY, {"/tool"}), strings({"a", "b", "first", "second", "third"}));
}

TEST_F(Transactions, RemoveWholeTreesAndNoticeWhatWasAddedToThem) {
  zero.write("/tool/a/x/y", "");
  std::uint32_t id = zero.start();
  EXPECT_EQ(zero.ask(XS_RM, {"/tool/a"}, id), ok);
  EXPECT_EQ(zero.read("/tool/a/x", id), strings({"ENOENT"}));
  EXPECT_EQ(zero.ask(XS_DIRECTORY, {"/tool"}, id), strings({"b"}));
  zero.write("/tool/a/x/z", "");
  EXPECT_EQ(zero.end(id), strings({"EAGAIN"}));
  id = zero.start();
  zero.ask(XS_RM, {"/tool/a"}, id);
  zero.write("/tool/a/x", "again", id);
  EXPECT_EQ(zero.end(id), ok);
  EXPECT_EQ(zero.ask(XS_DIRECTORY, {"/tool/a"}), strings({"x"}));
  EXPECT_EQ(zero.ask(XS_DIRECTORY, {"/tool/a/x"}), "");
}

TEST_F(Transactions, OfAnotherClientAreUnknown) {
  const std::uint32_t id = zero.start();
  EXPECT_EQ(guest.read("data", id), strings({"ENOENT"}));
  EXPECT_EQ(zero.ask(XS_TRANSACTION_START, {""}, id), strings({"EBUSY"}));
  EXPECT_EQ(zero.end(id, "x"), strings({"EINVAL"}));
}

TEST_F(Transactions, CostWhatTheyTouchNotWhatIsThere) {
  for (unsigned i = 0; i < 1000; ++i) {
    zero.write("/many/" + std::to_string(i), "");
  }
  Transaction transaction(store.tree());
  transaction.put("/many/7", {"x", transaction.find("/many/7")->permissions});
  EXPECT_EQ(transaction.size(), 1U);
  EXPECT_TRUE(transaction.commit());
}

TEST_F(Transactions, AreLimitedInNumberAndSize) {
  std::vector<std::uint32_t> open;
  for (std::size_t i = 0; i < store.default_limits().transactions; ++i) {
    open.push_back(guest.start());
  }
  EXPECT_EQ(guest.ask(XS_TRANSACTION_START, {""}), strings({"ENOSPC"}));
  EXPECT_EQ(store.hits(DomId(1)).transactions, 1U);
  std::string answer;
  for (std::size_t i = 0; i <= store.default_limits().transaction_nodes; ++i) {
    answer = guest.read("data/x" + std::to_string(i), open.front());
  }
  EXPECT_EQ(answer, strings({"ENOSPC"}));
  EXPECT_EQ(guest.ask(XS_RESET_WATCHES, {""}), ok);
  guest.start();
}

TEST_F(Transactions, NodesOfAGuestAreLimitedInsideAndOutside) {
  const std::uint64_t free = store.default_limits().nodes - store.tree().owned_by(DomId(1));
  for (std::uint64_t i = 0; i < free; ++i) {
    ASSERT_EQ(guest.write("data/x" + std::to_string(i), ""), ok);
  }
  EXPECT_EQ(guest.write("data/more", ""), strings({"ENOSPC"}));
  const std::uint32_t id = guest.start();
  EXPECT_EQ(guest.write("data/more", "", id), strings({"ENOSPC"}));
  EXPECT_EQ(guest.ask(XS_RM, {"data/x0"}, id), ok);
  EXPECT_EQ(guest.write("data/more", "", id), ok);
  EXPECT_EQ(guest.end(id), ok);
  EXPECT_EQ(store.hits(DomId(1)).nodes, 2U);
  EXPECT_EQ(guest.write("data/x1", std::string(2049, 'x')), strings({"ENOSPC"}));
  // All that a guest owned goes with it.
  zero.ask(XS_RM, {"/local/domain/1"});
  store.forget(DomId(1));
  EXPECT_EQ(store.tree().owned_by(DomId(1)), 0U);
}

TEST_F(Transactions, ForgettingADomainFindsItsNodesAnywhere) {
  zero.ask(XS_SET_PERMS, {"/tool", "n0", "b2"});
  ASSERT_EQ(other.write("/tool/theirs/deep", ""), ok);
  store.forget(DomId(2));
  EXPECT_EQ(zero.read("/tool/theirs"), strings({"ENOENT"}));
  EXPECT_EQ(store.tree().owned_by(DomId(2)), 0U);
}

}  // namespace
}  // namespace xl::xenstore
