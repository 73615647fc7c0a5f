// SPDX-License-Identifier: Apache-2.0
// The client of a host's xenstored against the real one, in dom0.
#include "libxl++/xenstore/host_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace xl::xenstore {
namespace {

const std::string root = "/tool/xl-test";

class RealStore : public ::testing::Test {
 protected:
  static std::unique_ptr<HostStore> connect() {
    auto store = HostStore::connect("/run/xenstored/socket");
    EXPECT_TRUE(store);
    return std::move(store).value();
  }
  ~RealStore() override { remove(root); }
  void remove(const std::string& path) { store_->remove_domain(DomId(0), {{path}}); }
  void write(const std::string& path, const std::string& value) {
    const NodeSpec node{path, value, nullptr};
    ASSERT_TRUE(store_->write(std::span(&node, 1)));
  }
  // As many as a domain has, a third of them with permissions of their own.
  static std::vector<NodeSpec> nodes_like_a_domains(const std::string& home) {
    const auto own = std::make_shared<const Permissions>(Permissions{{DomId(0), Access::none}});
    std::vector<NodeSpec> nodes;
    for (int i = 0; i < 60; ++i) {
      nodes.push_back(
          {home + "/device/" + std::to_string(i), std::to_string(i), i % 3 == 0 ? own : nullptr});
    }
    return nodes;
  }
  // Milliseconds, the middle one of many.
  double time_of(const std::function<void(const std::string&)>& write) {
    std::vector<double> times;
    for (int i = 0; i < 11; ++i) {
      const std::string home = root + "/" + std::to_string(i);
      const auto begin = std::chrono::steady_clock::now();
      write(home);
      const std::chrono::duration<double, std::milli> time =
          std::chrono::steady_clock::now() - begin;
      times.push_back(time.count());
    }
    remove(root);
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }

  std::unique_ptr<HostStore> store_ = connect();
};

TEST_F(RealStore, WritesReadsListsAndRemoves) {
  write(root + "/a/b", "value");
  EXPECT_EQ(*store_->read(root + "/a/b"), "value");
  EXPECT_EQ(*store_->read(root + "/a"), "");
  EXPECT_EQ(*store_->list(root), (std::vector<std::string>{"a"}));
  store_->remove_domain(DomId(0), std::vector<std::string>{root + "/a", root + "/no/such"});
  EXPECT_EQ(store_->read(root + "/a/b").error().code, ErrorCode::not_found);
  const NodeSpec nonsense{"/tool//b", "", nullptr};
  EXPECT_EQ(store_->write(std::span(&nonsense, 1)).error().code, ErrorCode::invalid_argument);
}

TEST_F(RealStore, KeepsWhatBelongsTogetherTogether) {
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    const auto other = connect();
    while (!stop) {
      const auto names = other->list(root + "/all/device");
      EXPECT_TRUE(!names || names->size() == 60);
    }
  });
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(store_->write(nodes_like_a_domains(root + "/all")));
    remove(root + "/all");
  }
  stop = true;
  reader.join();
  auto nodes = nodes_like_a_domains(root + "/none");
  nodes.back().path = root + "//wrong";
  EXPECT_FALSE(store_->write(nodes));
  EXPECT_FALSE(store_->read(root + "/none"));
}

TEST_F(RealStore, BeginsAgainWhereOthersAreInTheWay) {
  const auto run = [](HostStore& store, const std::string& mine) {
    for (int i = 0; i < 10; ++i) {
      const std::vector<NodeSpec> nodes{{root + "/shared/" + mine + std::to_string(i), "", nullptr},
                                        {root + "/shared/last", mine, nullptr}};
      ASSERT_TRUE(store.write(nodes));
    }
  };
  const auto other = connect();
  std::thread first([&] { run(*store_, "a"); });
  run(*other, "b");
  first.join();
  EXPECT_EQ(store_->list(root + "/shared")->size(), 21U);
}

TEST_F(RealStore, ListsMoreThanAMessageHolds) {
  std::vector<NodeSpec> nodes;
  for (int i = 1000; i < 2000; ++i) {
    nodes.push_back({root + "/many/child" + std::to_string(i), "", nullptr});
  }
  ASSERT_TRUE(store_->write_unseen(nodes));
  const auto names = store_->list(root + "/many");
  ASSERT_TRUE(names);
  EXPECT_EQ(names->size(), 1000U);
}

TEST_F(RealStore, TellsOfChangesUntilTheWatchHasGone) {
  std::atomic<unsigned> calls = 0;
  auto watch = store_->watch(root, [&] { ++calls; });
  const auto other = connect();
  for (unsigned i = 0; i < 10; ++i) {
    const unsigned before = calls;
    const NodeSpec node{root + "/x", std::to_string(i), nullptr};
    ASSERT_TRUE(other->write(std::span(&node, 1)));
    for (int wait = 0; wait < 10000 && calls == before; ++wait) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_GT(calls, before);
  }
  watch.reset();
  const unsigned last = calls;
  write(root + "/x", "last");
  EXPECT_EQ(calls, last);
}

TEST_F(RealStore, RefusesWhoIsNotThere) {
  EXPECT_FALSE(store_->introduce(DomId(30000), Gfn(1), EventPort(1)));
}

TEST_F(RealStore, TakesADomainsNodes) {
  const double whole = time_of(
      [&](const std::string& home) { EXPECT_TRUE(store_->write(nodes_like_a_domains(home))); });
  const double unseen = time_of([&](const std::string& home) {
    EXPECT_TRUE(store_->write_unseen(nodes_like_a_domains(home)));
  });
  const double single = time_of([&](const std::string& home) { write(home + "/name", "it"); });
  std::printf("# 60 nodes: %.2f ms, unseen %.2f ms; one node: %.2f ms\n", whole, unseen, single);
}

}  // namespace
}  // namespace xl::xenstore
