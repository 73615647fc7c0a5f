// SPDX-License-Identifier: Apache-2.0
// What a xenstore operation fails with: one of the errno values that xs_wire.h lists, which is all
// that the protocol can say. Nothing here allocates.
#pragma once

#include <cerrno>
#include <string_view>

#include "base/result.hpp"

namespace xl::xenstore {

struct Errno {
  int value = 0;  // EINVAL, ENOENT, ...

  constexpr bool operator==(const Errno&) const = default;
};

template <typename T>
using XsResult = Result<T, Errno>;

constexpr Unexpected<Errno> refuse(int errno_value) {
  return Unexpected(Errno{errno_value});
}

// "ENOENT", as an ERROR reply carries it; "EINVAL" for a value that the protocol has no name for.
std::string_view wire_name(Errno error);

}  // namespace xl::xenstore
