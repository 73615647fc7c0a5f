// SPDX-License-Identifier: Apache-2.0
// RunQueue: the vcpus that wait for a CPU, ordered by virtual time, each with the set of CPUs where
// it may run and the set where it had better run. Gives the first one for a CPU: a treap whose
// subtrees know the union of their sets. No memory of its own, insert, erase and first O(log n)
// expected, no recursion. The caller locks.
#pragma once

#include <cstdint>

namespace hyp {

// A set of physical CPUs, bit n for CPU n.
using CpuMask = std::uint64_t;
inline constexpr CpuMask every_cpu = ~0ULL;

constexpr CpuMask cpu_bit(unsigned cpu) {
  return 1ULL << cpu;
}

struct QueueNode {
  std::uint64_t key = 0;
  CpuMask allowed = every_cpu;
  CpuMask preferred = every_cpu;  // part of `allowed`
  // --- of the queue
  CpuMask any_allowed = 0;  // of the subtree
  CpuMask any_preferred = 0;
  QueueNode* left = nullptr;
  QueueNode* right = nullptr;
  QueueNode* parent = nullptr;
  std::uint32_t priority = 0;  // of the heap: random
};

class RunQueue {
 public:
  bool empty() const { return root_ == nullptr; }
  // CPUs for which somebody waits.
  CpuMask waiting() const { return root_ == nullptr ? 0 : root_->any_allowed; }

  // The first that may run there, or had better run there; null: none.
  QueueNode* first(CpuMask cpu) const {
    return leftmost(cpu, &QueueNode::allowed, &QueueNode::any_allowed);
  }
  QueueNode* first_preferring(CpuMask cpu) const {
    return leftmost(cpu, &QueueNode::preferred, &QueueNode::any_preferred);
  }

  // The node must be in no queue; its key and sets must not change while it is in one. Goes behind
  // nodes with an equal key.
  void insert(QueueNode& node) {
    QueueNode* parent = nullptr;
    QueueNode** link = &root_;
    while (*link != nullptr) {
      parent = *link;
      parent->any_allowed |= node.allowed;
      parent->any_preferred |= node.preferred;
      link = node.key < parent->key ? &parent->left : &parent->right;
    }
    node.left = node.right = nullptr;
    node.parent = parent;
    node.priority = next_random();
    node.any_allowed = node.allowed;
    node.any_preferred = node.preferred;
    *link = &node;
    while (node.parent != nullptr && node.parent->priority < node.priority) {
      rotate_up(node);
    }
  }

  // The node must be in this queue.
  void erase(QueueNode& node) {
    while (node.left != nullptr || node.right != nullptr) {
      const bool left = node.right == nullptr ||
                        (node.left != nullptr && node.left->priority > node.right->priority);
      rotate_up(left ? *node.left : *node.right);
    }
    replace(node, nullptr);
    for (QueueNode* above = node.parent; above != nullptr; above = above->parent) {
      sum_up(*above);
    }
    node.parent = nullptr;
  }

 private:
  QueueNode* leftmost(CpuMask cpu, CpuMask QueueNode::*own, CpuMask QueueNode::*any) const {
    QueueNode* node = root_;
    if (node == nullptr || (node->*any & cpu) == 0) {
      return nullptr;
    }
    for (;;) {
      if (node->left != nullptr && (node->left->*any & cpu) != 0) {
        node = node->left;
      } else if ((node->*own & cpu) != 0) {
        return node;
      } else {
        node = node->right;  // the subtree has one, and it is nowhere else
      }
    }
  }

  static void sum_up(QueueNode& node) {
    node.any_allowed = node.allowed;
    node.any_preferred = node.preferred;
    add(node, node.left);
    add(node, node.right);
  }
  static void add(QueueNode& node, const QueueNode* child) {
    if (child != nullptr) {
      node.any_allowed |= child->any_allowed;
      node.any_preferred |= child->any_preferred;
    }
  }

  // Puts `other` where `node` hangs.
  void replace(const QueueNode& node, QueueNode* other) {
    QueueNode* const parent = node.parent;
    (parent == nullptr ? root_ : parent->left == &node ? parent->left : parent->right) = other;
  }

  // The node and its parent change places; the order from left to right stays.
  void rotate_up(QueueNode& node) {
    QueueNode& parent = *node.parent;
    replace(parent, &node);
    node.parent = parent.parent;
    const bool was_left = parent.left == &node;
    QueueNode*& inner = was_left ? node.right : node.left;
    (was_left ? parent.left : parent.right) = inner;
    if (inner != nullptr) {
      inner->parent = &parent;
    }
    inner = &parent;
    parent.parent = &node;
    sum_up(parent);
    sum_up(node);
  }

  std::uint32_t next_random() {  // xorshift32
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    return random_;
  }

  QueueNode* root_ = nullptr;
  std::uint32_t random_ = 0x2b2b786c;
};

}  // namespace hyp
