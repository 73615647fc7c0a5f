// SPDX-License-Identifier: Apache-2.0
// Paths of the store (xenstore.txt, "Paths are /-separated"): absolute, without a doubled or a
// trailing slash, of letters, digits and -/_@ only. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/types.hpp"
#include "libxl++/xenstore/result.hpp"

namespace xl::xenstore {

// "/local/domain/N": where a domain's relative paths start.
std::string domain_path(DomId domain);

// What the client wrote, made absolute. Special names ("@releaseDomain") pass only if
// `allow_special`. Errors: EINVAL.
XsResult<std::string> resolve_path(std::string_view given, DomId caller,
                                   bool allow_special = false);

inline bool is_special(std::string_view path) {
  return !path.empty() && path.front() == '@';
}

// The path without its last element; "/" for the children of the root and for the root.
std::string_view parent_of(std::string_view path);
std::string_view leaf_of(std::string_view path);

// Whether `path` is `ancestor` or lies below it.
bool is_within(std::string_view path, std::string_view ancestor);

// Levels of `path` below `ancestor`; is_within must hold.
std::size_t depth_below(std::string_view path, std::string_view ancestor);

// Cuts the first element off `rest` ("local/domain/1" becomes "domain/1"); empty when there is
// none.
std::string_view take_element(std::string_view& rest);

}  // namespace xl::xenstore
