// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/permissions.hpp"

#include <charconv>

namespace xl::xenstore {
namespace {

constexpr std::string_view letters = "nrwb";  // indexed by Access

}  // namespace

bool is_owner(const Permissions& permissions, const Caller& caller) {
  return caller.is_privileged() || caller.acts_for(permissions.front().domain);
}

Access access_of(const Permissions& permissions, const Caller& caller) {
  if (is_owner(permissions, caller)) {
    return Access::both;
  }
  for (std::size_t i = 1; i < permissions.size(); ++i) {
    if (caller.acts_for(permissions[i].domain)) {
      return permissions[i].access;
    }
  }
  return permissions.front().access;
}

XsResult<Permission> parse_permission(std::string_view text) {
  const std::size_t letter = text.empty() ? letters.npos : letters.find(text.front());
  if (letter == letters.npos) {
    return refuse(EINVAL);
  }
  std::uint16_t domain = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, end, domain);
  if (error != std::errc{} || stop != end) {
    return refuse(EINVAL);
  }
  return Permission{DomId(domain), static_cast<Access>(letter)};
}

std::string to_string(const Permission& permission) {
  return letters[static_cast<std::size_t>(permission.access)] +
         std::to_string(permission.domain.value());
}

}  // namespace xl::xenstore
