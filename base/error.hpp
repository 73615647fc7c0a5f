// SPDX-License-Identifier: Apache-2.0
// Error: what the hosted code returns in a Result. The root cause comes first; each layer that
// knows what was being done adds one line of context on the way up. It is printed once, at the top.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace xl {

enum class ErrorCode {
  invalid_argument,  // the caller's value is wrong
  invalid_config,    // a configuration file or override is wrong
  invalid_image,     // a kernel or ramdisk cannot be used
  not_found,         // no such domain, file, key
  already_exists,    // the name is taken
  permission_denied,
  not_supported,  // known, and not possible here
  no_memory,      // the hypervisor or host has not enough
  limit,          // a fixed bound was reached
  busy,           // try again
  timeout,
  io,               // a system call or a peer failed
  protocol,         // a peer sent what the protocol does not allow
  hypervisor_gone,  // the hypervisor died or hangs
  interrupted,      // cancelled by the caller
  internal,         // a bug
};

// Stable lower-case name ("invalid_config"), used on the wire.
std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;                    // root cause, with the value, no trailing full stop
  std::string hint = {};                  // what to do, may be empty
  std::vector<std::string> context = {};  // what was being done, innermost first

  Error&& while_doing(std::string what) && {
    context.push_back(std::move(what));
    return std::move(*this);
  }
};

inline Unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
  return Unexpected(Error{code, std::move(message), std::move(hint), {}});
}

// "message (while A, while B); hint" : the one line that is shown.
std::string describe(const Error& error);

// {io, "what: strerror(errno_value)"}; EACCES/EPERM, ENOENT and ENOMEM map to their own codes.
Error system_error(int errno_value, std::string_view what);

}  // namespace xl

// XL_TRY with a line of context: XL_TRY_DOING(f(), "reading 'x'")
#define XL_TRY_DOING(expr, what)                                                \
  do {                                                                          \
    if (auto xl_result_ = (expr); !xl_result_) {                                \
      return ::xl::Unexpected(std::move(xl_result_).error().while_doing(what)); \
    }                                                                           \
  } while (false)
