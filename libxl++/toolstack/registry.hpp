// SPDX-License-Identifier: Apache-2.0
// Registry: which names and UUIDs are taken, by whom, and the domains that are fully made. A name
// is claimed before anything else is done for a domain, so that of two creates of one name exactly
// one goes on.
//
// Thread rule: every function from any thread. All are O(log n) in the number of domains, but
// all().
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libxl++/config/uuid.hpp"

namespace xl::toolstack {

struct Domain;

class Registry {
 public:
  // A name and a UUID that are ours until this goes. Must not outlive the registry. A moved-from
  // claim can only be destroyed.
  class [[nodiscard]] Claim {
   public:
    Claim(Claim&& other) noexcept;
    Claim& operator=(Claim&&) = delete;
    ~Claim();

    std::string name() const;
    const config::Uuid& uuid() const { return uuid_; }
    // Which domain it is for; shown while it is being made.
    void set_domain(DomId domain);
    void unset_domain();
    // A domain of the name comes soon, in place of one that was: await() waits for it.
    void expect_domain();
    // Errors: already_exists; not_found once released.
    Result<void> rename(std::string_view new_name);
    // Leaves name and UUID to the claim that is returned, which is for no domain yet, and goes on
    // under the name with the suffix (and a number behind it if that is taken) and the new UUID.
    // Errors: not_found once released.
    Result<Claim> split(const std::string& suffix, const config::Uuid& new_uuid);
    // Gives both up before the claim goes. The name can still be asked for.
    void release();

   private:
    friend class Registry;
    Claim(Registry& registry, std::string name, const config::Uuid& uuid)
        : registry_(&registry), name_(std::move(name)), uuid_(uuid) {}

    Registry* registry_;
    std::string name_;  // the registry's lock
    bool held_ = true;  // the registry's lock
    config::Uuid uuid_;
  };

  // Errors: already_exists, naming the domain that has the name or the UUID.
  Result<Claim> claim(const std::string& name, const config::Uuid& uuid);

  void publish(std::shared_ptr<Domain> domain);
  // True for the one caller that took it out: that one tells the world.
  bool remove(const std::shared_ptr<Domain>& domain);

  // Errors: not_found; busy while it is being made.
  Result<std::shared_ptr<Domain>> get(DomId domain) const;
  // Null if it is not there, or not yet.
  std::shared_ptr<Domain> find(DomId domain) const;
  std::optional<DomId> find(std::string_view name) const;
  // Until the domain that is expected under the name is there, or none is expected; some seconds at
  // most. Not from where domains are made.
  void await(std::string_view name) const;
  std::string name_of(DomId domain) const;  // empty if it has none
  // Also while it is being made.
  bool contains(DomId domain) const;
  // Of domains that are being made too.
  std::map<DomId, std::string> names() const;
  std::vector<std::shared_ptr<Domain>> all() const;

 private:
  using Owner = std::optional<DomId>;

  std::string free_name(const std::string& base, const std::string& suffix) const;  // locked

  mutable std::mutex mutex_;
  mutable std::condition_variable came_;  // what was expected, or will not
  std::set<std::string, std::less<>> expected_;
  std::map<std::string, Owner, std::less<>> names_;
  std::map<config::Uuid, Owner> uuids_;
  std::map<DomId, std::string> names_by_domain_;
  std::map<DomId, std::shared_ptr<Domain>> domains_;
};

}  // namespace xl::toolstack
