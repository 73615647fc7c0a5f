// SPDX-License-Identifier: Apache-2.0
// View: the nodes as one client sees them, either the store itself (Tree) or the store through an
// open transaction (Transaction). The operations of the protocol are written once, against this. No
// permission is checked here.
//
// Thread rule: none of this locks; the Server's lock is held by who calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.hpp"
#include "libxl++/xenstore/permissions.hpp"

namespace xl::xenstore {

struct NodeState {
  std::string value;
  PermissionsRef permissions;
};

// A node that is gone, for the watches that are to hear of it.
struct RemovedNode {
  std::string path;
  PermissionsRef permissions;
};

struct ChildList {
  std::vector<std::string> names;  // ascending
  std::uint64_t generation = 0;    // changes when the list does
};

class View {
 public:
  virtual ~View() = default;

  // Null if there is no such node. Valid until the next call that changes the view.
  virtual const NodeState* find(std::string_view path) = 0;
  // The node must exist.
  virtual ChildList children(std::string_view path) = 0;
  // Replaces the node, or creates it below a parent that exists.
  virtual void put(std::string_view path, NodeState state) = 0;
  // With all that is below, which the answer lists, the node itself first. Not for the root.
  virtual std::vector<RemovedNode> erase(std::string_view path) = 0;
  // How many nodes the domain owns.
  virtual std::uint64_t owned_by(DomId domain) const = 0;
};

}  // namespace xl::xenstore
