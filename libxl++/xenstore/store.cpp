// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/store.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "libxl++/xenstore/connection.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

bool may_read(const PermissionsRef& permissions, const Caller& caller) {
  return permissions != nullptr && allows(access_of(*permissions, caller), Access::read);
}

bool is_special_event(std::string_view name) {
  return name == introduce_event || name == release_event;
}

}  // namespace

void Store::fire(std::span<const Change> changes) {
  for (const Change& change : changes) {
    watches_.visit(change.path, change.exact, [&](const Watch& watch) {
      const Caller& caller = watch.owner->caller();
      if (may_read(change.after, caller) || may_read(change.before, caller)) {
        watch.owner->queue_event(watch, change.path);
      }
    });
  }
}

void Store::fire_special(std::string_view event, DomId domain) {
  const auto permissions = special_.find(event);
  const std::string with_domain = std::string(event) + '/' + std::to_string(domain.value());
  const auto tell = [&](const Watch& watch, std::string_view path) {
    const Caller& caller = watch.owner->caller();
    if (caller.is_privileged() ||
        (permissions != special_.end() && may_read(permissions->second, caller))) {
      watch.owner->queue_event(watch, path);
    }
  };
  watches_.visit(event, true, [&](const Watch& watch) { tell(watch, event); });
  watches_.visit_children_of(event, [&](const Watch& watch) { tell(watch, with_domain); });
  watches_.visit(with_domain, true, [&](const Watch& watch) { tell(watch, with_domain); });
}

const Limits& Store::limits(DomId domain) const {
  const auto own = own_limits_.find(domain);
  return own == own_limits_.end() ? default_limits_ : own->second;
}

void Store::set_limit(std::optional<DomId> domain, const LimitField& field, std::uint64_t value) {
  recorder_.limit(domain, field.name, value);
  Limits& limits =
      domain ? own_limits_.try_emplace(*domain, default_limits_).first->second : default_limits_;
  limits.*field.limit = value;
}

std::uint32_t Store::features(DomId domain) const {
  const auto own = own_features_.find(domain);
  return own == own_features_.end() ? all_features : own->second;
}

void Store::set_features(DomId domain, std::uint32_t features) {
  recorder_.features(domain, features);
  own_features_.insert_or_assign(domain, features);
}

XsResult<PermissionsRef> Store::special_permissions(std::string_view event) const {
  if (!is_special_event(event)) {
    return refuse(EINVAL);
  }
  const auto found = special_.find(event);
  if (found == special_.end()) {
    return std::make_shared<const Permissions>(Permissions{{DomId(0), Access::none}});
  }
  return found->second;
}

XsResult<void> Store::set_special_permissions(std::string_view event, Permissions permissions) {
  if (!is_special_event(event) || permissions.empty()) {
    return refuse(EINVAL);
  }
  recorder_.special(event, permissions);
  special_.insert_or_assign(std::string(event),
                            std::make_shared<const Permissions>(std::move(permissions)));
  return {};
}

void Store::introduce(DomId domain, Connection& connection) {
  recorder_.introduce(domain);
  restore_introduced(domain, connection);
  fire_special(introduce_event, domain);
}

void Store::restore_introduced(DomId domain, Connection& connection) {
  connection.keep();
  guests_.insert_or_assign(domain.value(), &connection);
}

void Store::release(DomId domain) {
  const auto found = guests_.find(domain.value());
  if (found == guests_.end()) {
    return;
  }
  const bool was_introduced = found->second->introduced();
  recorder_.release(domain);
  found->second->forget();
  guests_.erase(found);
  if (was_introduced) {
    fire_special(release_event, domain);
  }
}

void Store::disconnect(Connection& connection) {
  connection.set_introduced(false);
  fire_special(release_event, connection.caller().domain);
}

void Store::connect_again(Connection& connection) {
  connection.set_introduced(true);
  connection.reset();
  fire_special(introduce_event, connection.caller().domain);
}

bool Store::is_introduced(DomId domain) const {
  const Connection* connection = connection_of(domain);
  return connection != nullptr && connection->introduced();
}

Connection* Store::connection_of(DomId domain) const {
  const auto found = guests_.find(domain.value());
  return found == guests_.end() ? nullptr : found->second;
}

void Store::record_moved() {
  for (Connection* connection : moved_) {
    connection->record_step(recorder_);
  }
  moved_.clear();
}

void Store::record_all(Recorder& recorder) const {
  tree_.record(recorder);
  for (const auto& [event, permissions] : special_) {
    recorder.special(event, *permissions);
  }
  const auto record_limits = [&](std::optional<DomId> domain, const Limits& limits) {
    for (const LimitField& field : limit_fields) {
      recorder.limit(domain, field.name, limits.*field.limit);
    }
  };
  record_limits(std::nullopt, default_limits_);
  for (const auto& [domain, limits] : own_limits_) {
    record_limits(domain, limits);
  }
  for (const auto& [domain, features] : own_features_) {
    recorder.features(domain, features);
  }
  for (const auto& [id, connection] : guests_) {
    recorder.introduce(DomId(id));
    connection->record_all(recorder);
  }
}

void Store::drop_arrangements(DomId domain) {
  if (own_limits_.erase(domain) + own_features_.erase(domain) != 0) {
    recorder_.forget(domain);
  }
}

void Store::forget(DomId domain) {
  // The toolstack has removed the domain's own directories before, so there is nearly never
  // anything to look for.
  if (tree_.owned_by(domain) != 0) {
    for (const std::string& path : tree_.topmost_owned_by(domain)) {
      std::vector<Change> changes;
      bool exact = false;
      for (RemovedNode& gone : tree_.erase(path)) {
        changes.push_back({std::move(gone.path), std::move(gone.permissions), nullptr, exact});
        exact = true;
      }
      fire(changes);
    }
  }
  hits_.erase(domain.value());
  drop_arrangements(domain);
}

}  // namespace xl::xenstore
