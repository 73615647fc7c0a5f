// SPDX-License-Identifier: Apache-2.0
// The client of a host's xenstored, against our own server: two sides of one protocol, written
// apart.
#include "libxl++/xenstore/host_store.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <semaphore>
#include <thread>

#include "tests/xenstore/client_fixture.hpp"
#include "tests/xenstore/unix_socket.hpp"

namespace xl::xenstore {
namespace {

PermissionsRef share(Permissions permissions) {
  return std::make_shared<const Permissions>(std::move(permissions));
}

class HostStoreAt : public ::testing::Test {
 protected:
  std::unique_ptr<HostStore> connect() {
    auto store = HostStore::connect(served_.path());
    EXPECT_TRUE(store);
    return std::move(store).value();
  }
  std::string permissions(const std::string& path) {
    const auto client = served_.store().connect([] {});
    const std::string request = encode(XS_GET_PERMS, 1, 0, fixture::strings({path}));
    client->receive(std::as_bytes(std::span(request)));
    std::array<std::byte, 100> room;
    const std::size_t count = client->send(room);
    return std::string(reinterpret_cast<const char*>(room.data()), count).substr(header_size);
  }
  void write(const std::string& path, const std::string& value) {
    const NodeSpec node{path, value, nullptr};
    ASSERT_TRUE(host_->write(std::span(&node, 1)));
  }

  fixture::ServedStore served_;
  std::unique_ptr<HostStore> host_ = connect();
};

// Counts calls, and waits for some.
class Counter {
 public:
  std::function<void()> callback() {
    return [this] {
      const std::lock_guard lock(mutex_);
      ++count_;
      changed_.notify_all();
    };
  }
  bool reaches(unsigned count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return count_ >= count; });
  }
  unsigned count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned count_ = 0;
};

TEST_F(HostStoreAt, WritesReadsAndLists) {
  write("/a/b", "value");
  write("/a/c", std::string("\0binary\n", 8));
  EXPECT_EQ(*host_->read("/a/b"), "value");
  EXPECT_EQ(*host_->read("/a/c"), std::string("\0binary\n", 8));
  EXPECT_EQ(*host_->list("/a"), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(*served_.store().read("/a/b"), "value");
  EXPECT_EQ(*host_->read("/a"), "") << "parents are made, empty";
}

TEST_F(HostStoreAt, NamesWhatWentWrong) {
  const auto missing = host_->read("/no/such");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(describe(missing.error()), "xenstore: reading /no/such: ENOENT");
  EXPECT_EQ(host_->list("/no/such").error().code, ErrorCode::not_found);
  const NodeSpec nonsense{"/a//b", "", nullptr};
  const auto refused = host_->write(std::span(&nonsense, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(describe(refused.error()), "xenstore: writing /a//b: EINVAL");
}

TEST_F(HostStoreAt, RefusesWhatTheProtocolCannotCarry) {
  const std::vector<NodeSpec> nodes{{"/a", "", nullptr}, {"/b", std::string(4094, 'v'), nullptr}};
  const auto refused = host_->write(nodes);
  ASSERT_FALSE(refused);
  EXPECT_EQ(describe(refused.error()),
            "xenstore: '/b' and its value are 4097 bytes; 4096 are the most");
  EXPECT_FALSE(host_->read("/a"));
  write("/b", std::string(4093, 'v'));
  EXPECT_EQ(host_->read("/b")->size(), 4093U);
}

TEST_F(HostStoreAt, SetsPermissions) {
  const PermissionsRef guest = share({{DomId(7), Access::none}, {DomId(0), Access::read}});
  const std::vector<NodeSpec> nodes{{"/guest", "", guest}, {"/guest/below", "", nullptr}};
  ASSERT_TRUE(host_->write(nodes));
  EXPECT_EQ(permissions("/guest"), fixture::strings({"n7", "r0"}));
  EXPECT_EQ(permissions("/guest/below"), fixture::strings({"n7", "r0"}));
}

// As a domain's: the same nodes by either way, and fewer requests by the second.
TEST_F(HostStoreAt, WritesUnseenWhatAnyWriteWouldGive) {
  const PermissionsRef reads = share({{DomId(0), Access::none}, {DomId(7), Access::read}});
  const PermissionsRef reads_too = share(Permissions(*reads));
  const PermissionsRef owns = share({{DomId(7), Access::none}});
  const auto nodes_at = [&](const std::string& home) {
    return std::vector<NodeSpec>{{home, "", reads},
                                 {home + "/name", "it", nullptr},
                                 {home + "/cpu", "", reads_too},
                                 {home + "/empty", "", reads},
                                 {home + "/control", "", reads},
                                 {home + "/control/shutdown", "", owns},
                                 {home + "/data", "", owns},
                                 {home + "/data/ours", "", reads},
                                 {home + "/data/theirs", "", nullptr},
                                 {home + "/cpu/0/availability", "online", nullptr},
                                 {home + "/name", "it again", owns}};
  };
  ASSERT_TRUE(host_->write(nodes_at("/whole")));
  const auto before = served_.store().statistics().requests.by_type;
  ASSERT_TRUE(host_->write_unseen(nodes_at("/unseen")));
  const auto after = served_.store().statistics().requests.by_type;
  EXPECT_EQ(after[XS_WRITE] - before[XS_WRITE], 9U);
  EXPECT_EQ(after[XS_SET_PERMS] - before[XS_SET_PERMS], 5U);
  for (const NodeSpec& node : nodes_at("")) {
    EXPECT_EQ(*host_->read("/unseen" + node.path), *host_->read("/whole" + node.path));
    EXPECT_EQ(permissions("/unseen" + node.path), permissions("/whole" + node.path)) << node.path;
  }
}

TEST_F(HostStoreAt, WritesAllOrNothingForEveryReader) {
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    const auto other = connect();
    while (!stop) {
      const auto names = other->list("/all");
      if (names) {
        EXPECT_EQ(names->size(), 30U);
      }
    }
  });
  std::vector<NodeSpec> nodes;
  for (int i = 0; i < 30; ++i) {
    nodes.push_back({"/all/" + std::to_string(i), "x", share({{DomId(1), Access::none}})});
  }
  for (int round = 0; round < 50; ++round) {
    ASSERT_TRUE(host_->write(nodes));
    host_->remove_domain(DomId(1), std::vector<std::string>{"/all", "/never/was"});
  }
  stop = true;
  reader.join();
  nodes.push_back({"/all//wrong", "", nullptr});
  EXPECT_FALSE(host_->write(nodes));
  EXPECT_FALSE(host_->read("/all/0"));
}

TEST_F(HostStoreAt, RemovesMoreDirectoriesThanItHasConnections) {
  std::vector<std::string> directories;
  std::vector<NodeSpec> nodes;
  for (int i = 0; i < 40; ++i) {
    directories.push_back("/gone" + std::to_string(i));
    nodes.push_back({directories.back() + "/below", "", nullptr});
  }
  nodes.push_back({"/stays/below", "", nullptr});
  ASSERT_TRUE(host_->write(nodes));
  directories.insert(directories.begin() + 7, "/never/was");
  host_->remove_domain(DomId(1), directories);
  for (const std::string& directory : directories) {
    EXPECT_FALSE(host_->read(directory)) << directory;
  }
  EXPECT_TRUE(host_->read("/stays/below"));
}

// Two connections whose transactions touch the same parent, so that most of them conflict.
TEST_F(HostStoreAt, BeginsAgainWhereOthersAreInTheWay) {
  const auto run = [&](HostStore& store, const std::string& mine) {
    for (int i = 0; i < 100; ++i) {
      const std::vector<NodeSpec> nodes{{"/shared/" + mine + std::to_string(i), "", nullptr},
                                        {"/shared/last", mine, nullptr}};
      ASSERT_TRUE(store.write(nodes));
    }
  };
  const auto other = connect();
  std::thread first([&] { run(*host_, "a"); });
  std::thread second([&] { run(*host_, "b"); });
  run(*other, "c");
  first.join();
  second.join();
  EXPECT_EQ(host_->list("/shared")->size(), 301U);
}

TEST_F(HostStoreAt, WritesUnseenInOrder) {
  std::vector<NodeSpec> nodes;
  for (int i = 0; i < 500; ++i) {
    nodes.push_back({"/domain/" + std::to_string(i), std::string(300, 'x'), nullptr});
  }
  nodes.push_back({"/domain/0", "last", nullptr});
  ASSERT_TRUE(host_->write_unseen(nodes));
  EXPECT_EQ(*host_->read("/domain/0"), "last");
  EXPECT_EQ(host_->read("/domain/499")->size(), 300U);
  EXPECT_EQ(host_->list("/domain")->size(), 500U);
  nodes[3].path = "not a path";
  EXPECT_EQ(describe(host_->write_unseen(nodes).error()), "xenstore: writing not a path: EINVAL");
}

TEST_F(HostStoreAt, ListsMoreThanAMessageHolds) {
  std::vector<NodeSpec> nodes;
  for (int i = 1000; i < 4000; ++i) {
    nodes.push_back({"/many/child" + std::to_string(i), "", nullptr});
  }
  ASSERT_TRUE(served_.store().write(nodes));
  const auto names = host_->list("/many");
  ASSERT_TRUE(names);
  EXPECT_EQ(names->size(), 3000U);
  EXPECT_EQ(names->front(), "child1000");
  EXPECT_EQ(names->back(), "child3999");
  EXPECT_EQ(*names, *served_.store().list("/many"));
}

TEST_F(HostStoreAt, ListsWhileTheListChanges) {
  std::vector<NodeSpec> nodes;
  for (int i = 1000; i < 2000; ++i) {
    nodes.push_back({"/many/child" + std::to_string(i), "", nullptr});
  }
  ASSERT_TRUE(served_.store().write(nodes));
  std::atomic<bool> stop = false;
  std::thread changer([&] {
    while (!stop) {
      const NodeSpec extra{"/many/another", "", nullptr};
      EXPECT_TRUE(served_.store().write(std::span(&extra, 1)));
      served_.store().remove_domain(DomId(9), std::vector<std::string>{"/many/another"});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  for (int i = 0; i < 20; ++i) {
    const auto names = host_->list("/many");
    ASSERT_TRUE(names);
    EXPECT_TRUE(names->size() == 1000 || names->size() == 1001);
  }
  stop = true;
  changer.join();
}

TEST_F(HostStoreAt, AnswersManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const std::string path = "/t/" + std::to_string(t);
      for (int i = 0; i < 300; ++i) {
        const NodeSpec node{path, std::to_string(i), nullptr};
        ASSERT_TRUE(host_->write(std::span(&node, 1)));
        ASSERT_EQ(*host_->read(path), std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST_F(HostStoreAt, WatchesFromTheMomentThatItIsThere) {
  for (unsigned i = 0; i < 50; ++i) {
    Counter counter;
    const auto watch = host_->watch("/w/" + std::to_string(i), counter.callback());
    const NodeSpec node{"/w/" + std::to_string(i) + "/below", "", nullptr};
    ASSERT_TRUE(served_.store().write(std::span(&node, 1)));
    EXPECT_TRUE(counter.reaches(2)) << "once at the beginning, once for the change";
    watch->drain();
  }
}

// As many changes as the store may keep: it parts with a tool that does not fetch its events.
TEST_F(HostStoreAt, IsSilentOnceAWatchHasGone) {
  constexpr int rounds = 200;
  constexpr int changes_each = 8;
  std::counting_semaphore<> changes(0);
  std::thread changer([&] {
    const NodeSpec node{"/w", "", nullptr};
    for (int i = 0; i < rounds * changes_each; ++i) {
      changes.acquire();
      EXPECT_TRUE(served_.store().write(std::span(&node, 1)));
    }
  });
  for (int i = 0; i < rounds; ++i) {
    changes.release(changes_each);
    auto calls = std::make_unique<Counter>();
    auto watch = host_->watch("/w", calls->callback());
    EXPECT_TRUE(calls->reaches(1));
    watch.reset();
    calls.reset();  // a call now would be one of a counter that is gone
  }
  changer.join();
  EXPECT_EQ(*host_->read("/w"), "");
  EXPECT_EQ(served_.store().statistics().watches, 0U);
}

TEST_F(HostStoreAt, GetsItsAnswersThroughAStormOfEvents) {
  Counter counter;
  std::vector<std::unique_ptr<NodeWatch>> watches;
  for (int i = 0; i < 20; ++i) {
    watches.push_back(host_->watch("/storm", counter.callback()));
  }
  std::atomic<bool> stop = false;
  std::thread changer([&] {
    const NodeSpec node{"/storm/x", "", nullptr};
    for (int i = 0; i < 2000 && !stop; ++i) {
      EXPECT_TRUE(served_.store().write(std::span(&node, 1)));
      if (i % 20 == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    }
  });
  for (int i = 0; i < 300; ++i) {
    write("/calm", std::to_string(i));
    ASSERT_EQ(*host_->read("/calm"), std::to_string(i));
  }
  stop = true;
  changer.join();
  EXPECT_TRUE(counter.reaches(40));
}

TEST_F(HostStoreAt, Introduces) {
  const auto guest = *served_.store().introduce(DomId(3), [] {});
  EXPECT_TRUE(host_->introduce(DomId(3), Gfn(0xfeffd), EventPort(1)));
  EXPECT_TRUE(host_->may_be_watched(DomId(3), "/a"));
}

TEST_F(HostStoreAt, SaysWhereNobodyServes) {
  const auto nowhere = HostStore::connect("/tmp/no-such-xenstored");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(describe(nowhere.error()),
            "connecting to xenstored at '/tmp/no-such-xenstored': No such file or directory; see "
            "whether xenstored runs in this domain 0");
  EXPECT_FALSE(HostStore::connect("/tmp/" + std::string(200, 'x')));
}

}  // namespace
}  // namespace xl::xenstore
