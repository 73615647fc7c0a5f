// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/registry.hpp"

#include <chrono>
#include <utility>

#include "libxl++/toolstack/domain.hpp"

namespace xl::toolstack {
namespace {

std::string whose(const std::optional<DomId>& owner) {
  return owner ? "domain " + std::to_string(owner->value()) : "a domain that is being created";
}

}  // namespace

Registry::Claim::Claim(Claim&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)),
      name_(std::move(other.name_)),
      held_(other.held_),
      uuid_(other.uuid_) {}

Registry::Claim::~Claim() {
  if (registry_ != nullptr) {
    release();
  }
}

void Registry::Claim::release() {
  const std::lock_guard lock(registry_->mutex_);
  if (!std::exchange(held_, false)) {
    return;
  }
  const auto name = registry_->names_.find(name_);
  if (name->second) {
    registry_->names_by_domain_.erase(*name->second);
  }
  registry_->names_.erase(name);
  registry_->uuids_.erase(uuid_);
  registry_->expected_.erase(name_);
  registry_->came_.notify_all();
}

std::string Registry::Claim::name() const {
  const std::lock_guard lock(registry_->mutex_);
  return name_;
}

void Registry::Claim::set_domain(DomId domain) {
  const std::lock_guard lock(registry_->mutex_);
  registry_->names_[name_] = domain;
  registry_->uuids_[uuid_] = domain;
  registry_->names_by_domain_[domain] = name_;
}

void Registry::Claim::unset_domain() {
  const std::lock_guard lock(registry_->mutex_);
  Owner& owner = registry_->names_[name_];
  if (owner) {
    registry_->names_by_domain_.erase(*owner);
  }
  owner.reset();
  registry_->uuids_[uuid_].reset();
}

void Registry::Claim::expect_domain() {
  const std::lock_guard lock(registry_->mutex_);
  registry_->expected_.insert(name_);
}

Result<void> Registry::Claim::rename(std::string_view new_name) {
  const std::lock_guard lock(registry_->mutex_);
  if (!held_) {
    return fail(ErrorId::no_such_domain, "the domain '" + name_ + "' is gone");
  }
  if (new_name == name_) {
    return {};
  }
  if (const auto taken = registry_->names_.find(new_name); taken != registry_->names_.end()) {
    return fail(ErrorId::name_taken,
                "the name '" + std::string(new_name) + "' belongs to " + whose(taken->second),
                "choose another name");
  }
  auto entry = registry_->names_.extract(name_);
  entry.key() = std::string(new_name);
  if (entry.mapped()) {
    registry_->names_by_domain_[*entry.mapped()] = entry.key();
  }
  name_ = entry.key();
  registry_->names_.insert(std::move(entry));
  return {};
}

std::string Registry::free_name(const std::string& base, const std::string& suffix) const {
  constexpr std::size_t room_for_number = 6;
  const std::string stem =
      base.substr(0, config::max_name_length - suffix.size() - room_for_number) + suffix;
  std::string name = stem;
  for (int number = 2; names_.contains(name); ++number) {
    name = stem + '-' + std::to_string(number);
  }
  return name;
}

Result<Registry::Claim> Registry::Claim::split(const std::string& suffix,
                                               const config::Uuid& new_uuid) {
  const std::lock_guard lock(registry_->mutex_);
  if (!held_) {
    return fail(ErrorId::no_such_domain, "the domain '" + name_ + "' is gone");
  }
  const std::string old_name = std::exchange(name_, registry_->free_name(name_, suffix));
  const config::Uuid old_uuid = std::exchange(uuid_, new_uuid);
  const Owner owner = std::exchange(registry_->names_[old_name], std::nullopt);
  registry_->uuids_[old_uuid] = std::nullopt;
  registry_->names_[name_] = owner;
  registry_->uuids_[uuid_] = owner;
  if (owner) {
    registry_->names_by_domain_[*owner] = name_;
  }
  return Claim(*registry_, old_name, old_uuid);
}

Result<Registry::Claim> Registry::claim(const std::string& name, const config::Uuid& uuid) {
  const std::lock_guard lock(mutex_);
  if (const auto taken = names_.find(name); taken != names_.end()) {
    return fail(ErrorId::name_taken, "the name '" + name + "' belongs to " + whose(taken->second),
                "choose another name, or destroy that domain");
  }
  if (const auto taken = uuids_.find(uuid); taken != uuids_.end()) {
    return fail(ErrorId::uuid_taken,
                "the UUID " + to_string(uuid) + " belongs to " + whose(taken->second),
                "leave uuid out of the configuration to get a new one");
  }
  names_.emplace(name, std::nullopt);
  uuids_.emplace(uuid, std::nullopt);
  return Claim(*this, name, uuid);
}

void Registry::publish(std::shared_ptr<Domain> domain) {
  const std::lock_guard lock(mutex_);
  const DomId id = domain->id;
  domains_.insert_or_assign(id, std::move(domain));
  if (const auto name = names_by_domain_.find(id); name != names_by_domain_.end()) {
    expected_.erase(name->second);
    came_.notify_all();
  }
}

bool Registry::remove(const std::shared_ptr<Domain>& domain) {
  const std::lock_guard lock(mutex_);
  const auto found = domains_.find(domain->id);
  if (found == domains_.end() || found->second != domain) {
    return false;
  }
  domains_.erase(found);
  return true;
}

Result<std::shared_ptr<Domain>> Registry::get(DomId domain) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = domains_.find(domain); found != domains_.end()) {
    return found->second;
  }
  if (names_by_domain_.contains(domain)) {
    return fail(ErrorId::domain_busy,
                "domain " + std::to_string(domain.value()) + " is being created",
                "try again in a moment");
  }
  if (domain == DomId(0)) {
    return fail(ErrorId::domain_zero, "Domain-0 is the host itself: only guests are for that");
  }
  return fail(ErrorId::no_such_domain, "there is no domain " + std::to_string(domain.value()),
              "`xl list` shows those that there are");
}

std::shared_ptr<Domain> Registry::find(DomId domain) const {
  const std::lock_guard lock(mutex_);
  const auto found = domains_.find(domain);
  return found == domains_.end() ? nullptr : found->second;
}

std::optional<DomId> Registry::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(name);
  return found == names_.end() ? std::nullopt : found->second;
}

void Registry::await(std::string_view name) const {
  constexpr auto longest = std::chrono::seconds(5);
  std::unique_lock lock(mutex_);
  came_.wait_for(lock, longest, [&] { return !expected_.contains(name); });
}

bool Registry::contains(DomId domain) const {
  const std::lock_guard lock(mutex_);
  return names_by_domain_.contains(domain);
}

std::map<DomId, std::string> Registry::names() const {
  const std::lock_guard lock(mutex_);
  return names_by_domain_;
}

std::vector<std::shared_ptr<Domain>> Registry::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Domain>> domains;
  domains.reserve(domains_.size());
  for (const auto& [id, domain] : domains_) {
    domains.push_back(domain);
  }
  return domains;
}

std::string Registry::name_of(DomId domain) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_by_domain_.find(domain);
  return found == names_by_domain_.end() ? std::string() : found->second;
}

}  // namespace xl::toolstack
