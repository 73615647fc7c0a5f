// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/heap.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace hyp {
namespace {

TEST(PairingHeap, PopsInOrderWhateverIsErased) {
  std::mt19937_64 random(1);
  std::vector<HeapNode> nodes(1000);
  std::multiset<std::uint64_t> keys;
  std::vector<bool> inside(nodes.size());
  PairingHeap heap;
  for (int step = 0; step < 20000; ++step) {
    const std::size_t i = random() % nodes.size();
    if (!inside[i]) {
      const std::uint64_t key = random() % 500;
      heap.push(nodes[i], key);
      keys.insert(key);
      inside[i] = true;
    } else if (step % 3 == 0) {
      keys.erase(keys.find(nodes[i].key));
      heap.erase(nodes[i]);
      inside[i] = false;
    } else {
      HeapNode* const top = heap.pop();
      ASSERT_EQ(top->key, *keys.begin());
      keys.erase(keys.begin());
      inside[static_cast<std::size_t>(top - nodes.data())] = false;
    }
  }
  while (HeapNode* const top = heap.pop()) {
    ASSERT_EQ(top->key, *keys.begin());
    keys.erase(keys.begin());
  }
  EXPECT_TRUE(keys.empty());
  EXPECT_TRUE(heap.empty());
}

TEST(PairingHeap, EqualKeysLeaveInTheOrderOfArrival) {
  std::vector<HeapNode> nodes(2);
  PairingHeap heap;
  heap.push(nodes[0], 5);
  heap.push(nodes[1], 5);
  EXPECT_EQ(heap.pop(), &nodes[0]);
}

TEST(PairingHeap, TakesAHundredThousandWithoutRecursion) {
  std::vector<HeapNode> nodes(100000);
  PairingHeap heap;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    heap.push(nodes[i], nodes.size() - i);
  }
  std::uint64_t last = 0;
  while (HeapNode* const top = heap.pop()) {
    ASSERT_GT(top->key, last);
    last = top->key;
  }
  EXPECT_EQ(last, nodes.size());
}

}  // namespace
}  // namespace hyp
