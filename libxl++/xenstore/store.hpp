// SPDX-License-Identifier: Apache-2.0
// Store: what all connections share: the tree, the watches, who is introduced, and the account of
// limits. Pure: no lock, no clock, no I/O. The Server puts a lock round it; the fuzz target drives
// it bare.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/types.hpp"
#include "libxl++/xenstore/limits.hpp"
#include "libxl++/xenstore/operations.hpp"
#include "libxl++/xenstore/permissions.hpp"
#include "libxl++/xenstore/recorder.hpp"
#include "libxl++/xenstore/statistics.hpp"
#include "libxl++/xenstore/tree.hpp"
#include "libxl++/xenstore/watches.hpp"

namespace xl::xenstore {

inline constexpr std::string_view introduce_event = "@introduceDomain";
inline constexpr std::string_view release_event = "@releaseDomain";

class Store {
 public:
  explicit Store(Limits limits = {}) : default_limits_(limits), tree_(recorder_) {}
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Where every change that is to survive the process goes.
  Recorder& recorder() { return recorder_; }
  Tree& tree() { return tree_; }
  WatchIndex& watches() { return watches_; }
  const Limits& default_limits() const { return default_limits_; }
  const Limits& limits(DomId domain) const;
  // Of one domain, or none: the default, which holds for all that have none of their own.
  void set_limit(std::optional<DomId> domain, const LimitField& field, std::uint64_t value);
  // What the guest's ring page says that it can use.
  std::uint32_t features(DomId domain) const;
  void set_features(DomId domain, std::uint32_t features);
  void drop_arrangements(DomId domain);
  LimitHits& hits(DomId domain) { return hits_[domain.value()]; }
  const std::unordered_map<std::uint16_t, LimitHits>& all_hits() const { return hits_; }
  RequestCounts& counts() { return counts_; }
  // Hears of a domain that runs into its limits, as often as the log does.
  std::function<void(DomId, const LimitHits&)> limits_hit;
  std::size_t guests() const { return guests_.size(); }

  // Tells each watch that may know of it.
  void fire(std::span<const Change> changes);
  void fire_special(std::string_view event, DomId domain);

  // Who may hear a special event, beside domain 0. Errors: EINVAL, no such event.
  XsResult<PermissionsRef> special_permissions(std::string_view event) const;
  XsResult<void> set_special_permissions(std::string_view event, Permissions permissions);

  // A guest's own connection, known until the guest goes. Introducing and releasing fire their
  // events.
  void introduce(DomId domain, Connection& connection);
  void release(DomId domain);
  // The requests of that name: the guest stays known.
  void disconnect(Connection& connection);
  void connect_again(Connection& connection);
  bool is_introduced(DomId domain) const;
  Connection* connection_of(DomId domain) const;

  // Without the event, as it happened before.
  void restore_introduced(DomId domain, Connection& connection);

  // Connections that have moved since the last record.
  void note_moved(Connection& connection) { moved_.push_back(&connection); }
  void drop_moved(const Connection& connection) { std::erase(moved_, &connection); }
  // Records how far those have come: the batch is whole then.
  void record_moved();
  // All that there is.
  void record_all(Recorder& recorder) const;

  // What a domain leaves behind when it is gone: the nodes that it owns with all below them, and
  // its account.
  void forget(DomId domain);

 private:
  Limits default_limits_;
  std::map<DomId, Limits> own_limits_;
  std::map<DomId, std::uint32_t> own_features_;
  RequestCounts counts_;
  Recorder recorder_;
  Tree tree_;
  WatchIndex watches_;
  std::unordered_map<std::uint16_t, LimitHits> hits_;
  std::unordered_map<std::uint16_t, Connection*> guests_;
  std::map<std::string, PermissionsRef, std::less<>> special_;
  std::vector<Connection*> moved_;
};

}  // namespace xl::xenstore
