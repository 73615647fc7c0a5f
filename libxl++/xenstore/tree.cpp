// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/tree.hpp"

#include <utility>

#include "libxl++/xenstore/path.hpp"
#include "libxl++/xenstore/recorder.hpp"

namespace xl::xenstore {

Tree::Tree(Recorder& recorder) : recorder_(recorder) {
  root_.state.permissions =
      std::make_shared<const Permissions>(Permissions{{DomId(0), Access::none}});
  root_.generation = next_generation_++;
  root_.children_generation = next_generation_++;
  owned_[0] = 1;
}

const Tree::Node* Tree::lookup(std::string_view path) const {
  const Node* node = &root_;
  std::string_view rest = path.substr(1);
  while (node != nullptr && !rest.empty()) {
    const auto child = node->children.find(take_element(rest));
    node = child == node->children.end() ? nullptr : child->second.get();
  }
  return node;
}

const NodeState* Tree::find(std::string_view path) {
  const Node* node = lookup(path);
  return node == nullptr ? nullptr : &node->state;
}

ChildList Tree::children(std::string_view path) {
  const Node& node = *lookup(path);
  ChildList list;
  list.generation = node.children_generation;
  list.names.reserve(node.children.size());
  for (const auto& [name, child] : node.children) {
    list.names.push_back(name);
  }
  return list;
}

void Tree::put(std::string_view path, NodeState state) {
  recorder_.put(path, state);
  Node* node = lookup(path);
  if (node == nullptr) {
    Node& parent = *lookup(parent_of(path));
    node = parent.children.emplace(leaf_of(path), std::make_unique<Node>()).first->second.get();
    node->children_generation = next_generation_++;
    parent.children_generation = next_generation_++;
    ++size_;
  } else {
    --owned_[owner_of(node->state.permissions).value()];
  }
  ++owned_[owner_of(state.permissions).value()];
  node->state = std::move(state);
  node->generation = next_generation_++;
}

void Tree::disown(const Node& node, const std::string& path, std::vector<RemovedNode>& removed) {
  const auto owner = owned_.find(owner_of(node.state.permissions).value());
  if (--owner->second == 0) {
    owned_.erase(owner);
  }
  --size_;
  removed.push_back({path, node.state.permissions});
  for (const auto& [name, child] : node.children) {
    disown(*child, path + '/' + name, removed);
  }
}

std::vector<RemovedNode> Tree::erase(std::string_view path) {
  std::vector<RemovedNode> removed;
  Node* parent = lookup(parent_of(path));
  if (parent == nullptr) {
    return removed;
  }
  const auto found = parent->children.find(leaf_of(path));
  if (found == parent->children.end()) {
    return removed;
  }
  recorder_.erase(path);
  disown(*found->second, std::string(path), removed);
  parent->children.erase(found);
  parent->children_generation = next_generation_++;
  return removed;
}

bool Tree::restore(std::string_view path, NodeState state, std::uint64_t generation,
                   std::uint64_t children_generation) {
  Node* parent = lookup(parent_of(path));
  if (parent == nullptr) {
    return false;
  }
  const std::uint64_t its_list = parent->children_generation;
  put(path, std::move(state));
  parent->children_generation = its_list;  // it was put back with this child in mind
  Node* node = lookup(path);
  node->generation = generation;
  node->children_generation = children_generation;
  return true;
}

void Tree::record(const Node& node, const std::string& path, Recorder& recorder) {
  recorder.node(path.empty() ? "/" : std::string_view(path), node.state, node.generation,
                node.children_generation);
  for (const auto& [name, child] : node.children) {
    record(*child, path + '/' + name, recorder);
  }
}

void Tree::record(Recorder& recorder) const {
  record(root_, "", recorder);
  recorder.next_generation(next_generation_);
}

std::uint64_t Tree::owned_by(DomId domain) const {
  const auto found = owned_.find(domain.value());
  return found == owned_.end() ? 0 : found->second;
}

std::uint64_t Tree::generation(std::string_view path) const {
  const Node* node = lookup(path);
  return node == nullptr ? 0 : node->generation;
}

std::uint64_t Tree::children_generation(std::string_view path) const {
  const Node* node = lookup(path);
  return node == nullptr ? 0 : node->children_generation;
}

void Tree::collect_owned(const Node& node, const std::string& path, DomId domain,
                         std::vector<std::string>& found) {
  if (owner_of(node.state.permissions) == domain && !path.empty()) {
    found.push_back(path);
    return;
  }
  for (const auto& [name, child] : node.children) {
    collect_owned(*child, path + '/' + name, domain, found);
  }
}

std::vector<std::string> Tree::topmost_owned_by(DomId domain) const {
  std::vector<std::string> found;
  collect_owned(root_, "", domain, found);
  return found;
}

}  // namespace xl::xenstore
