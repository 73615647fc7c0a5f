// SPDX-License-Identifier: Apache-2.0
// An intrusive pairing heap: no memory of its own, push O(1), pop and erase O(log n) amortised, no
// recursion. Holds the run queue (by virtual time) and the timers (by deadline). The caller locks.
#pragma once

#include <cstdint>

namespace hyp {

struct HeapNode {
  std::uint64_t key = 0;
  HeapNode* child = nullptr;
  HeapNode* next = nullptr;  // sibling
  HeapNode* prev =
      nullptr;  // previous sibling, or the parent for a first child; null at the root and outside
};

class PairingHeap {
 public:
  bool empty() const { return root_ == nullptr; }
  HeapNode* top() const { return root_; }

  // The node must be in no heap.
  void push(HeapNode& node, std::uint64_t key) {
    node = HeapNode{key, nullptr, nullptr, nullptr};
    root_ = root_ == nullptr ? &node : merge(root_, &node);
  }

  HeapNode* pop() {
    HeapNode* const top = root_;
    if (top != nullptr) {
      root_ = merge_children(top->child);
      *top = HeapNode{top->key, nullptr, nullptr, nullptr};
    }
    return top;
  }

  // The node must be in this heap.
  void erase(HeapNode& node) {
    if (&node == root_) {
      pop();
      return;
    }
    (node.prev->child == &node ? node.prev->child : node.prev->next) = node.next;
    if (node.next != nullptr) {
      node.next->prev = node.prev;
    }
    HeapNode* const rest = merge_children(node.child);
    if (rest != nullptr) {
      root_ = merge(root_, rest);
    }
    node = HeapNode{node.key, nullptr, nullptr, nullptr};
  }

 private:
  // Two roots become one; equal keys keep `a` on top, so that the queue is fair.
  static HeapNode* merge(HeapNode* a, HeapNode* b) {
    if (b->key < a->key) {
      HeapNode* const swap = a;
      a = b;
      b = swap;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child != nullptr) {
      a->child->prev = b;
    }
    a->child = b;
    a->next = nullptr;
    a->prev = nullptr;
    return a;
  }

  // Two passes: pairs from the left, kept in a stack, then all into one from the right.
  static HeapNode* merge_children(HeapNode* first) {
    HeapNode* pairs = nullptr;
    while (first != nullptr) {
      HeapNode* const a = first;
      HeapNode* const b = a->next;
      first = b == nullptr ? nullptr : b->next;
      a->next = a->prev = nullptr;
      HeapNode* merged = a;
      if (b != nullptr) {
        b->next = b->prev = nullptr;
        merged = merge(a, b);
      }
      merged->next = pairs;
      pairs = merged;
    }
    HeapNode* result = nullptr;
    while (pairs != nullptr) {
      HeapNode* const rest = pairs->next;
      pairs->next = nullptr;
      result = result == nullptr ? pairs : merge(result, pairs);
      pairs = rest;
    }
    return result;
  }

  HeapNode* root_ = nullptr;
};

}  // namespace hyp
