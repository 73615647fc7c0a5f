// SPDX-License-Identifier: Apache-2.0
// What each request on nodes does (xenstore.txt): its payload taken apart, its operation called.
#include <string>
#include <utility>

#include "libxl++/xenstore/connection.hpp"
#include "libxl++/xenstore/path.hpp"
#include "libxl++/xenstore/store.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

const std::string ok("OK\0", 3);

XsResult<std::string> acknowledge(XsResult<void> result) {
  XL_TRY(std::move(result));
  return ok;
}

std::string join(const PermissionsRef& permissions) {
  std::string text;
  for (const Permission& permission : *permissions) {
    text += to_string(permission);
    text += '\0';
  }
  return text;
}

}  // namespace

Connection::Reply Connection::dispatch(Request& request) {
  switch (request.header.type) {
    case XS_WATCH: return add_watch(request);
    case XS_UNWATCH: return remove_watch(request);
    case XS_RESET_WATCHES: return reset_watches();
    case XS_TRANSACTION_START: return start_transaction(request);
    case XS_TRANSACTION_END: return end_transaction(request);
    case XS_INTRODUCE:
    case XS_RELEASE:
    case XS_GET_DOMAIN_PATH:
    case XS_IS_DOMAIN_INTRODUCED:
    case XS_RESUME:
    case XS_SET_TARGET: return domain_request(request);
    case XS_CONTROL: return control(request);
    case get_feature_request: return get_feature(request);
    case set_feature_request: return set_feature(request);
    case get_quota_request: return get_quota(request);
    case set_quota_request: return set_quota(request);
    default: return dispatch_node(request);
  }
}

// The requests that may be part of a transaction.
Connection::Reply Connection::dispatch_node(Request& request) {
  if (request.header.transaction != 0) {
    const auto found = transactions_.find(request.header.transaction);
    if (found == transactions_.end()) {
      return refuse(ENOENT);
    }
    request.transaction = &found->second;
    const bool is_full = exceeds(found->second.view.size() + 1, limits().transaction_nodes);
    if (is_full && !caller_.is_privileged()) {
      ++store_.hits(caller_.domain).transaction_nodes;
      return refuse(ENOSPC);
    }
  }
  switch (request.header.type) {
    case XS_READ: return read_node(request);
    case XS_WRITE: return write_node(request);
    case XS_DIRECTORY: return list_node(request);
    case XS_DIRECTORY_PART: return list_node_part(request);
    case XS_GET_PERMS: return get_node_permissions(request);
    case XS_SET_PERMS: return set_node_permissions(request);
    case XS_MKDIR: {
      XL_TRY_ASSIGN(const std::string path, path_argument(request));
      return acknowledge(make_directory(operation(request), path));
    }
    case XS_RM: {
      XL_TRY_ASSIGN(const std::string path, path_argument(request));
      return acknowledge(remove(operation(request), path));
    }
    default: return refuse(ENOSYS);
  }
}

Operation Connection::operation(Request& request) {
  View& view = request.transaction != nullptr ? static_cast<View&>(request.transaction->view)
                                              : static_cast<View&>(store_.tree());
  std::vector<Change>& changes =
      request.transaction != nullptr ? request.transaction->changes : request.changes;
  return {view, caller_, limits(), store_.hits(caller_.domain), changes};
}

XsResult<std::string> Connection::path_argument(Request& request, bool allow_special) {
  const std::optional<std::string_view> given = request.payload.string();
  if (!given) {
    return refuse(EINVAL);
  }
  return resolve_path(*given, caller_.domain, allow_special);
}

Connection::Reply Connection::read_node(Request& request) {
  XL_TRY_ASSIGN(const std::string path, path_argument(request));
  return read(operation(request), path);
}

Connection::Reply Connection::write_node(Request& request) {
  XL_TRY_ASSIGN(const std::string path, path_argument(request));
  return acknowledge(write(operation(request), path, request.payload.rest()));
}

Connection::Reply Connection::list_node(Request& request) {
  XL_TRY_ASSIGN(const std::string path, path_argument(request));
  XL_TRY_ASSIGN(const ChildList children, list(operation(request), path));
  std::string names;
  for (const std::string& name : children.names) {
    names += name;
    names += '\0';
  }
  return names;
}

// The part of the list from a byte offset on, whole names only; an empty name closes the last part.
Connection::Reply Connection::list_node_part(Request& request) {
  XL_TRY_ASSIGN(const std::string path, path_argument(request));
  XL_TRY_ASSIGN(const std::uint32_t offset, request.payload.number());
  XL_TRY_ASSIGN(const ChildList children, list(operation(request), path));
  std::string part = std::to_string(children.generation) + '\0';
  std::size_t at = 0;
  for (const std::string& name : children.names) {
    if (at >= offset) {
      if (part.size() + name.size() + 1 > max_payload) {
        return part;
      }
      part += name;
      part += '\0';
    }
    at += name.size() + 1;
  }
  if (offset > at) {
    return refuse(EINVAL);
  }
  if (part.size() < max_payload) {
    part += '\0';
  }
  return part;
}

Connection::Reply Connection::get_node_permissions(Request& request) {
  XL_TRY_ASSIGN(const std::string path, path_argument(request, true));
  if (is_special(path)) {
    XL_TRY_ASSIGN(const PermissionsRef special, store_.special_permissions(path));
    return join(special);
  }
  XL_TRY_ASSIGN(const PermissionsRef permissions, get_permissions(operation(request), path));
  return join(permissions);
}

Connection::Reply Connection::set_node_permissions(Request& request) {
  XL_TRY_ASSIGN(const std::string path, path_argument(request, true));
  Permissions permissions;
  while (const std::optional<std::string_view> text = request.payload.string()) {
    XL_TRY_ASSIGN(const Permission permission, parse_permission(*text));
    permissions.push_back(permission);
  }
  if (!is_special(path)) {
    return acknowledge(set_permissions(operation(request), path, std::move(permissions)));
  }
  if (!caller_.is_privileged()) {
    return refuse(EACCES);
  }
  return acknowledge(store_.set_special_permissions(path, std::move(permissions)));
}

}  // namespace xl::xenstore
