// SPDX-License-Identifier: Apache-2.0
// Transaction: a view of the tree with changes that nobody else sees until commit. Optimistic: it
// remembers the generation of each node that it looked at, and commits only if all of them are
// still the same. So transactions conflict per path, and disjoint ones never do, not even when both
// create children of one node. Start is O(1), everything else O(its own size).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libxl++/xenstore/tree.hpp"
#include "libxl++/xenstore/view.hpp"

namespace xl::xenstore {

class Transaction final : public View {
 public:
  explicit Transaction(Tree& tree) : tree_(tree) {}  // the tree outlives the transaction

  const NodeState* find(std::string_view path) override;
  ChildList children(std::string_view path) override;
  void put(std::string_view path, NodeState state) override;
  std::vector<RemovedNode> erase(std::string_view path) override;
  std::uint64_t owned_by(DomId domain) const override;

  // Nodes looked at or changed: what the transaction costs.
  std::size_t size() const { return seen_.size(); }

  // Makes the changes, or none of them: false if a node that was looked at has changed since. Ends
  // the transaction's use.
  [[nodiscard]] bool commit();

 private:
  struct Seen {
    std::uint64_t generation = 0;           // 0: did not exist
    std::optional<std::uint64_t> children;  // generation of the list, if it was looked at
  };

  Seen& note(std::string_view path);
  bool is_current() const;

  Tree& tree_;
  std::unordered_map<std::string, Seen> seen_;
  // What changed; none: erased. Ordered, so that a parent comes before its children.
  std::map<std::string, std::optional<NodeState>, std::less<>> changes_;
  std::unordered_map<std::uint16_t, std::int64_t> owned_delta_;
};

}  // namespace xl::xenstore
