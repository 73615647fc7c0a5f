// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/path.hpp"

#include <algorithm>

#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

bool is_path_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '/' || c == '_' || c == '@';
}

bool is_valid(std::string_view path) {
  if (path.size() > XENSTORE_ABS_PATH_MAX || path.find("//") != std::string_view::npos) {
    return false;
  }
  if (path.size() > 1 && path.back() == '/') {
    return false;
  }
  return std::all_of(path.begin(), path.end(), is_path_character);
}

}  // namespace

std::string domain_path(DomId domain) {
  return "/local/domain/" + std::to_string(domain.value());
}

XsResult<std::string> resolve_path(std::string_view given, DomId caller, bool allow_special) {
  if (given.empty() || (is_special(given) && !allow_special)) {
    return refuse(EINVAL);
  }
  std::string path;
  if (given.front() == '/' || is_special(given)) {
    path = given;
  } else {
    if (given.size() > XENSTORE_REL_PATH_MAX) {
      return refuse(EINVAL);
    }
    path = domain_path(caller);
    path += '/';
    path += given;
  }
  if (!is_valid(path)) {
    return refuse(EINVAL);
  }
  return path;
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == 0 || slash == std::string_view::npos) {
    return "/";
  }
  return path.substr(0, slash);
}

std::string_view leaf_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool is_within(std::string_view path, std::string_view ancestor) {
  if (ancestor == "/") {
    return !is_special(path);
  }
  if (!path.starts_with(ancestor)) {
    return false;
  }
  return path.size() == ancestor.size() || path[ancestor.size()] == '/';
}

std::size_t depth_below(std::string_view path, std::string_view ancestor) {
  const std::string_view rest = ancestor == "/" ? path : path.substr(ancestor.size());
  if (rest == "/") {
    return 0;
  }
  return static_cast<std::size_t>(std::count(rest.begin(), rest.end(), '/'));
}

std::string_view take_element(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view element = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  return element;
}

}  // namespace xl::xenstore
