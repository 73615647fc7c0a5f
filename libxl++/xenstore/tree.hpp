// SPDX-License-Identifier: Apache-2.0
// Tree: the store's nodes. Each node carries two generations, drawn from one counter that never
// repeats: one changes with the node itself (value, permissions, a new node of the same name), the
// other with the list of its children. A transaction remembers the generations that it has seen, so
// that its cost depends on its own size alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libxl++/xenstore/view.hpp"

namespace xl::xenstore {

class Recorder;

class Tree final : public View {
 public:
  // The root only, owned by domain 0, which nobody else may read. The recorder hears of every
  // change, and outlives the tree.
  explicit Tree(Recorder& recorder);

  const NodeState* find(std::string_view path) override;
  ChildList children(std::string_view path) override;
  void put(std::string_view path, NodeState state) override;
  std::vector<RemovedNode> erase(std::string_view path) override;
  std::uint64_t owned_by(DomId domain) const override;

  // 0 for a node that does not exist.
  std::uint64_t generation(std::string_view path) const;
  std::uint64_t children_generation(std::string_view path) const;

  std::uint64_t size() const { return size_; }  // nodes, the root included
  // Puts back what was taken down: nodes with their generations, and the counter. Parents first.
  // False: it has no parent.
  bool restore(std::string_view path, NodeState state, std::uint64_t generation,
               std::uint64_t children_generation);
  void restore_next_generation(std::uint64_t value) { next_generation_ = value; }
  // All of it, to be put back.
  void record(Recorder& recorder) const;
  // The topmost nodes that `domain` owns. Walks the whole tree.
  std::vector<std::string> topmost_owned_by(DomId domain) const;

 private:
  struct Node {
    NodeState state;
    std::uint64_t generation = 0;
    std::uint64_t children_generation = 0;
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
  };

  const Node* lookup(std::string_view path) const;
  Node* lookup(std::string_view path) {
    return const_cast<Node*>(static_cast<const Tree*>(this)->lookup(path));
  }
  void disown(const Node& node, const std::string& path, std::vector<RemovedNode>& removed);
  static void collect_owned(const Node& node, const std::string& path, DomId domain,
                            std::vector<std::string>& found);

  static void record(const Node& node, const std::string& path, Recorder& recorder);

  Recorder& recorder_;
  Node root_;
  std::uint64_t next_generation_ = 1;
  std::uint64_t size_ = 1;
  std::unordered_map<std::uint16_t, std::uint64_t> owned_;
};

}  // namespace xl::xenstore
