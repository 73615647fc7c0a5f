// SPDX-License-Identifier: Apache-2.0
// Store: what all connections share: the tree, the watches, who is introduced, and the account of
// limits. Pure: no lock, no clock, no I/O. The Server puts a lock round it; the fuzz target drives
// it bare.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/types.hpp"
#include "libxl++/xenstore/limits.hpp"
#include "libxl++/xenstore/operations.hpp"
#include "libxl++/xenstore/permissions.hpp"
#include "libxl++/xenstore/tree.hpp"
#include "libxl++/xenstore/watches.hpp"

namespace xl::xenstore {

inline constexpr std::string_view introduce_event = "@introduceDomain";
inline constexpr std::string_view release_event = "@releaseDomain";

class Store {
 public:
  explicit Store(Limits limits = {}) : limits_(limits) {}
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Tree& tree() { return tree_; }
  WatchIndex& watches() { return watches_; }
  const Limits& limits() const { return limits_; }
  LimitHits& hits(DomId domain) { return hits_[domain.value()]; }
  const std::unordered_map<std::uint16_t, LimitHits>& all_hits() const { return hits_; }

  // Tells each watch that may know of it.
  void fire(std::span<const Change> changes);
  void fire_special(std::string_view event);

  // Who may hear a special event, beside domain 0. Errors: EINVAL, no such event.
  XsResult<PermissionsRef> special_permissions(std::string_view event) const;
  XsResult<void> set_special_permissions(std::string_view event, Permissions permissions);

  // The domain's own connection, through which RELEASE reaches it. Introducing and releasing fire
  // their events.
  void introduce(DomId domain, Connection& connection);
  void release(DomId domain);
  bool is_introduced(DomId domain) const { return introduced_.contains(domain.value()); }
  Connection* connection_of(DomId domain) const;

  // What a domain leaves behind when it is gone: the nodes that it owns with all below them, and
  // its account.
  void forget(DomId domain);

 private:
  const Limits limits_;
  Tree tree_;
  WatchIndex watches_;
  std::unordered_map<std::uint16_t, LimitHits> hits_;
  std::unordered_map<std::uint16_t, Connection*> introduced_;
  std::map<std::string, PermissionsRef, std::less<>> special_;
};

}  // namespace xl::xenstore
