// SPDX-License-Identifier: Apache-2.0
// The operations on nodes, with their permissions and quotas (xenstore.txt, "Database read, write
// and permissions operations"). Written against a View, so that they are the same inside a
// transaction and outside.
//
// Paths are absolute and valid (path.hpp). Thread rule: the Server's lock.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libxl++/xenstore/limits.hpp"
#include "libxl++/xenstore/permissions.hpp"
#include "libxl++/xenstore/result.hpp"
#include "libxl++/xenstore/view.hpp"

namespace xl::xenstore {

// A change that watches are to hear of.
struct Change {
  std::string path;
  PermissionsRef before;  // null: the node is new
  PermissionsRef after;   // null: the node is gone
  bool exact = false;  // only watches on this very path: it went because a parent of it was removed
};

// One operation's surroundings. `changes` gains an entry for each change that it made.
struct Operation {
  View& view;
  const Caller& caller;
  const Limits& limits;
  LimitHits& hits;
  std::vector<Change>& changes;
};

XsResult<std::string> read(const Operation& operation, std::string_view path);
XsResult<ChildList> list(const Operation& operation, std::string_view path);
XsResult<PermissionsRef> get_permissions(const Operation& operation, std::string_view path);
XsResult<void> write(const Operation& operation, std::string_view path, std::string_view value);
XsResult<void> make_directory(const Operation& operation, std::string_view path);
XsResult<void> remove(const Operation& operation, std::string_view path);
XsResult<void> set_permissions(const Operation& operation, std::string_view path,
                               Permissions permissions);

}  // namespace xl::xenstore
