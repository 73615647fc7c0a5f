// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/run_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace hyp {
namespace {

// The order of arrival among equal keys counts: the reference is a list that is kept sorted.
class Reference {
 public:
  void insert(QueueNode* node) {
    const auto behind = [](const QueueNode* a, const QueueNode* b) { return a->key < b->key; };
    nodes_.insert(std::upper_bound(nodes_.begin(), nodes_.end(), node, behind), node);
  }
  void erase(QueueNode* node) { nodes_.erase(std::find(nodes_.begin(), nodes_.end(), node)); }
  QueueNode* first(CpuMask cpu, CpuMask QueueNode::*set) const {
    const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                    [&](const QueueNode* node) { return (node->*set & cpu) != 0; });
    return found == nodes_.end() ? nullptr : *found;
  }
  CpuMask waiting() const {
    CpuMask all = 0;
    for (const QueueNode* const node : nodes_) {
      all |= node->allowed;
    }
    return all;
  }
  bool has(const QueueNode* node) const {
    return std::find(nodes_.begin(), nodes_.end(), node) != nodes_.end();
  }

 private:
  std::vector<QueueNode*> nodes_;
};

TEST(RunQueue, GivesTheFirstForEachCpuWhateverComesAndGoes) {
  std::mt19937_64 random(7);
  std::vector<QueueNode> nodes(60);
  RunQueue queue;
  Reference reference;
  for (int step = 0; step < 20000; ++step) {
    QueueNode& node = nodes[random() % nodes.size()];
    if (reference.has(&node)) {
      queue.erase(node);
      reference.erase(&node);
    } else {
      node.key = random() % 40;
      node.allowed = 1 + random() % 15;
      node.preferred = node.allowed & random();
      queue.insert(node);
      reference.insert(&node);
    }
    ASSERT_EQ(queue.waiting(), reference.waiting());
    for (unsigned cpu = 0; cpu < 5; ++cpu) {
      ASSERT_EQ(queue.first(cpu_bit(cpu)), reference.first(cpu_bit(cpu), &QueueNode::allowed));
      ASSERT_EQ(queue.first_preferring(cpu_bit(cpu)),
                reference.first(cpu_bit(cpu), &QueueNode::preferred));
    }
  }
}

TEST(RunQueue, StaysShallowWhenKeysOnlyGrow) {
  std::vector<QueueNode> nodes(100000);
  RunQueue queue;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].key = i;
    queue.insert(nodes[i]);
  }
  unsigned depth = 0;
  for (const QueueNode* node = &nodes[0]; node != nullptr; node = node->parent) {
    ++depth;
  }
  EXPECT_LT(depth, 100U);
}

}  // namespace
}  // namespace hyp
