// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/watches.hpp"

#include <algorithm>

#include "libxl++/xenstore/path.hpp"

namespace xl::xenstore {

void WatchIndex::add(const Watch& watch) {
  by_path_[watch.path].push_back(&watch);
  ++size_;
}

void WatchIndex::remove(const Watch& watch) {
  const auto found = by_path_.find(watch.path);
  if (found == by_path_.end()) {
    return;
  }
  size_ -= std::erase(found->second, &watch);
  if (found->second.empty()) {
    by_path_.erase(found);
  }
}

void WatchIndex::visit_at(std::string_view watched, std::string_view path,
                          const Visitor& visitor) const {
  const auto found = by_path_.find(watched);
  if (found == by_path_.end()) {
    return;
  }
  for (const Watch* watch : found->second) {
    const bool wants_children = is_special(watched) && watch->depth == 1U;
    if (!wants_children && (!watch->depth || depth_below(path, watched) <= *watch->depth)) {
      visitor(*watch);
    }
  }
}

void WatchIndex::visit_children_of(std::string_view special, const Visitor& visitor) const {
  const auto found = by_path_.find(special);
  if (found == by_path_.end()) {
    return;
  }
  for (const Watch* watch : found->second) {
    if (watch->depth == 1U) {
      visitor(*watch);
    }
  }
}

void WatchIndex::visit(std::string_view path, bool exact, const Visitor& visitor) const {
  if (by_path_.empty()) {
    return;
  }
  std::string_view at = path;
  while (!exact && !is_special(path) && at != "/") {
    visit_at(at, path, visitor);
    at = parent_of(at);
  }
  visit_at(at, path, visitor);
}

}  // namespace xl::xenstore
