// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/operations.hpp"

#include <utility>

#include "libxl++/xenstore/path.hpp"

namespace xl::xenstore {
namespace {

// A client hears that a node does not exist only if it may look at the nearest parent that does.
int missing_node_errno(const Operation& operation, std::string_view path, Access wanted) {
  while (path != "/") {
    path = parent_of(path);
    if (const NodeState* parent = operation.view.find(path); parent != nullptr) {
      return allows(access_of(*parent->permissions, operation.caller), wanted) ? ENOENT : EACCES;
    }
  }
  return ENOENT;
}

XsResult<const NodeState*> find_allowed(const Operation& operation, std::string_view path,
                                        Access wanted) {
  const NodeState* node = operation.view.find(path);
  if (node == nullptr) {
    return refuse(missing_node_errno(operation, path, wanted));
  }
  if (!allows(access_of(*node->permissions, operation.caller), wanted)) {
    return refuse(EACCES);
  }
  return node;
}

XsResult<void> check_value(const Operation& operation, std::string_view value) {
  if (!operation.caller.is_privileged() && exceeds(value.size(), operation.limits.node_size)) {
    ++operation.hits.node_size;
    return refuse(ENOSPC);
  }
  return {};
}

// A new node has its parent's permissions, and its creator as the owner unless that is domain 0.
PermissionsRef permissions_below(const PermissionsRef& parent, const Caller& caller) {
  if (caller.is_privileged() || owner_of(parent) == caller.domain) {
    return parent;
  }
  Permissions own = *parent;
  own.front().domain = caller.domain;
  return std::make_shared<const Permissions>(std::move(own));
}

// Creates the node and the parents that it lacks.
XsResult<void> create(const Operation& operation, std::string_view path, std::string_view value) {
  std::vector<std::string_view> missing;
  std::string_view at = path;
  const NodeState* nearest = nullptr;
  while ((nearest = operation.view.find(at)) == nullptr) {
    missing.push_back(at);
    at = parent_of(at);
  }
  if (!allows(access_of(*nearest->permissions, operation.caller), Access::write)) {
    return refuse(EACCES);
  }
  const PermissionsRef permissions = permissions_below(nearest->permissions, operation.caller);
  const DomId owner = owner_of(permissions);
  if (!operation.caller.is_privileged() &&
      exceeds(operation.view.owned_by(owner) + missing.size(), operation.limits.nodes)) {
    ++operation.hits.nodes;
    return refuse(ENOSPC);
  }
  for (auto node = missing.rbegin(); node != missing.rend(); ++node) {
    const bool is_last = std::next(node) == missing.rend();
    operation.view.put(*node, {is_last ? std::string(value) : std::string(), permissions});
  }
  operation.changes.push_back({std::string(path), nullptr, permissions});
  return {};
}

}  // namespace

XsResult<std::string> read(const Operation& operation, std::string_view path) {
  XL_TRY_ASSIGN(const NodeState* node, find_allowed(operation, path, Access::read));
  return node->value;
}

XsResult<ChildList> list(const Operation& operation, std::string_view path) {
  XL_TRY(find_allowed(operation, path, Access::read));
  return operation.view.children(path);
}

XsResult<PermissionsRef> get_permissions(const Operation& operation, std::string_view path) {
  XL_TRY_ASSIGN(const NodeState* node, find_allowed(operation, path, Access::read));
  return node->permissions;
}

XsResult<void> write(const Operation& operation, std::string_view path, std::string_view value) {
  XL_TRY(check_value(operation, value));
  const NodeState* node = operation.view.find(path);
  if (node == nullptr) {
    return create(operation, path, value);
  }
  if (!allows(access_of(*node->permissions, operation.caller), Access::write)) {
    return refuse(EACCES);
  }
  const PermissionsRef permissions = node->permissions;
  operation.view.put(path, {std::string(value), permissions});
  operation.changes.push_back({std::string(path), permissions, permissions});
  return {};
}

XsResult<void> make_directory(const Operation& operation, std::string_view path) {
  const NodeState* node = operation.view.find(path);
  if (node == nullptr) {
    return create(operation, path, {});
  }
  if (!allows(access_of(*node->permissions, operation.caller), Access::write)) {
    return refuse(EACCES);
  }
  return {};
}

XsResult<void> remove(const Operation& operation, std::string_view path) {
  if (path == "/") {
    return refuse(EINVAL);
  }
  const auto node = find_allowed(operation, path, Access::write);
  if (!node) {
    const bool only_the_leaf_is_missing =
        node.error().value == ENOENT && operation.view.find(parent_of(path)) != nullptr;
    if (only_the_leaf_is_missing) {
      return {};
    }
    return Unexpected(node.error());
  }
  bool exact = false;
  for (RemovedNode& gone : operation.view.erase(path)) {
    operation.changes.push_back(
        {std::move(gone.path), std::move(gone.permissions), nullptr, exact});
    exact = true;
  }
  return {};
}

XsResult<void> set_permissions(const Operation& operation, std::string_view path,
                               Permissions permissions) {
  if (permissions.empty()) {
    return refuse(EINVAL);
  }
  XL_TRY_ASSIGN(const NodeState* node, find_allowed(operation, path, Access::none));
  const Caller& caller = operation.caller;
  if (!is_owner(*node->permissions, caller)) {
    return refuse(EACCES);
  }
  if (!caller.is_privileged()) {
    if (exceeds(permissions.size(), operation.limits.permissions)) {
      ++operation.hits.permissions;
      return refuse(ENOSPC);
    }
    if (permissions.front().domain != owner_of(node->permissions)) {
      return refuse(EPERM);  // only domain 0 gives nodes away
    }
  }
  const PermissionsRef before = node->permissions;
  auto after = std::make_shared<const Permissions>(std::move(permissions));
  operation.view.put(path, {node->value, after});
  operation.changes.push_back({std::string(path), before, std::move(after)});
  return {};
}

}  // namespace xl::xenstore
