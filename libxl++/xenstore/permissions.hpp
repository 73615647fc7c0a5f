// SPDX-License-Identifier: Apache-2.0
// Who may do what with a node (xenstore.txt, "Each node has one or multiple permission entries").
// Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.hpp"
#include "libxl++/xenstore/result.hpp"

namespace xl::xenstore {

enum class Access : std::uint8_t { none = 0, read = 1, write = 2, both = 3 };

constexpr bool allows(Access granted, Access wanted) {
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(granted) & bits) == bits;
}

struct Permission {
  DomId domain;
  Access access = Access::none;

  bool operator==(const Permission&) const = default;
};

// Never empty. The first entry names the owner, and the access of every domain that has no entry of
// its own.
using Permissions = std::vector<Permission>;
// Shared, because nearly every node has its parent's.
using PermissionsRef = std::shared_ptr<const Permissions>;

inline DomId owner_of(const PermissionsRef& permissions) {
  return permissions->front().domain;
}

// On whose behalf an operation runs.
struct Caller {
  DomId domain;                 // 0 may do everything
  std::optional<DomId> target;  // SET_TARGET: acts for this domain too

  bool is_privileged() const { return domain == DomId(0); }
  bool acts_for(DomId other) const { return domain == other || target == other; }
};

Access access_of(const Permissions& permissions, const Caller& caller);
bool is_owner(const Permissions& permissions, const Caller& caller);

// "r5" and back. Errors: EINVAL.
XsResult<Permission> parse_permission(std::string_view text);
std::string to_string(const Permission& permission);

}  // namespace xl::xenstore
