// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/transaction.hpp"

#include <algorithm>
#include <utility>

#include "libxl++/xenstore/path.hpp"

namespace xl::xenstore {

Transaction::Seen& Transaction::note(std::string_view path) {
  const auto [entry, is_new] = seen_.try_emplace(std::string(path));
  if (is_new) {
    entry->second.generation = tree_.generation(path);
  }
  return entry->second;
}

const NodeState* Transaction::find(std::string_view path) {
  if (const auto change = changes_.find(path); change != changes_.end()) {
    return change->second ? &*change->second : nullptr;
  }
  note(path);
  return tree_.find(path);
}

ChildList Transaction::children(std::string_view path) {
  Seen& seen = note(path);
  ChildList list;
  const bool in_tree = seen.generation != 0 && tree_.find(path) != nullptr;
  if (in_tree) {
    list = tree_.children(path);
    if (!seen.children) {
      seen.children = list.generation;
    }
  }
  // The tree's list, with the transaction's own changes put over it.
  const std::string prefix = path == "/" ? "/" : std::string(path) + '/';
  for (auto change = changes_.lower_bound(prefix);
       change != changes_.end() && change->first.starts_with(prefix); ++change) {
    std::string_view name = change->first;
    name.remove_prefix(prefix.size());
    if (name.empty() || name.find('/') != name.npos) {
      continue;
    }
    const auto at = std::lower_bound(list.names.begin(), list.names.end(), name);
    const bool listed = at != list.names.end() && *at == name;
    if (change->second && !listed) {
      list.names.emplace(at, name);
    } else if (!change->second && listed) {
      list.names.erase(at);
    }
  }
  return list;
}

void Transaction::put(std::string_view path, NodeState state) {
  if (const NodeState* old = find(path); old != nullptr) {
    --owned_delta_[owner_of(old->permissions).value()];
  }
  note(path);
  ++owned_delta_[owner_of(state.permissions).value()];
  changes_.insert_or_assign(std::string(path), std::move(state));
}

std::vector<RemovedNode> Transaction::erase(std::string_view path) {
  std::vector<RemovedNode> removed;
  const NodeState* node = find(path);
  if (node == nullptr) {
    return removed;
  }
  removed.push_back({std::string(path), node->permissions});
  for (const std::string& name : children(path).names) {
    for (RemovedNode& below : erase(std::string(path) + '/' + name)) {
      removed.push_back(std::move(below));
    }
  }
  --owned_delta_[owner_of(removed.front().permissions).value()];
  changes_.insert_or_assign(std::string(path), std::nullopt);
  return removed;
}

std::uint64_t Transaction::owned_by(DomId domain) const {
  const auto delta = owned_delta_.find(domain.value());
  const std::int64_t change = delta == owned_delta_.end() ? 0 : delta->second;
  // Others may have removed nodes in the meantime, so the sum can fall below zero; commit will then
  // refuse.
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, static_cast<std::int64_t>(tree_.owned_by(domain)) + change));
}

bool Transaction::is_current() const {
  return std::all_of(seen_.begin(), seen_.end(), [this](const auto& entry) {
    const Seen& seen = entry.second;
    return tree_.generation(entry.first) == seen.generation &&
           (!seen.children || tree_.children_generation(entry.first) == *seen.children);
  });
}

bool Transaction::commit() {
  if (!is_current()) {
    return false;
  }
  for (auto& [path, state] : changes_) {
    if (state) {
      tree_.put(path, std::move(*state));
    } else {
      tree_.erase(path);
    }
  }
  return true;
}

}  // namespace xl::xenstore
