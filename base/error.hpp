// SPDX-License-Identifier: Apache-2.0
// Error: what the hosted code returns in a Result. The root cause comes first; each layer that
// knows what was being done adds one line of context on the way up. It is printed once, at the top.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error_id.hpp"
#include "base/result.hpp"

namespace xl {

// Stable lower-case name ("invalid_config"), used on the wire.
std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;                    // root cause, with the value, no trailing full stop
  std::string hint = {};                  // what to do, may be empty
  std::vector<std::string> context = {};  // what was being done, innermost first
  std::optional<ErrorId> id = {};         // none: no other than its class; see id_of
  std::string phase = {};                 // of a create: "image", "populate", ...; may be empty

  Error&& while_doing(std::string what) && {
    context.push_back(std::move(what));
    return std::move(*this);
  }
};

inline Unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
  return Unexpected(Error{code, std::move(message), std::move(hint), {}});
}

// The same with the code of its family.
inline Error make_error(ErrorId id, std::string message, std::string hint = {}) {
  return Error{code_of(id), std::move(message), std::move(hint), {}, id, {}};
}
inline Unexpected<Error> fail(ErrorId id, std::string message, std::string hint = {}) {
  return Unexpected(make_error(id, std::move(message), std::move(hint)));
}

// Which error of docs/errors.md it is.
inline ErrorId id_of(const Error& error) {
  return error.id.value_or(general_id(error.code));
}

// Passes a result on; if it is an error that does not say yet in which phase it came up, it does
// then.
template <typename R>
R in_phase(std::string_view phase, R result) {
  if (!result && result.error().phase.empty()) {
    result.error().phase = phase;
  }
  return result;
}

// "message (while A, while B); hint" : the one line that is shown.
std::string describe(const Error& error);

// {io, "what: strerror(errno_value)"}; EACCES/EPERM, ENOENT and ENOMEM map to their own codes, a
// full disk and too many open files to their own ids. `missing` is the id of
// ENOENT where the caller knows better than that a file is not there.
Error system_error(int errno_value, std::string_view what, std::optional<ErrorId> missing = {});

}  // namespace xl

// XL_TRY with a line of context: XL_TRY_DOING(f(), "reading 'x'")
#define XL_TRY_DOING(expr, what)                                                \
  do {                                                                          \
    if (auto xl_result_ = (expr); !xl_result_) {                                \
      return ::xl::Unexpected(std::move(xl_result_).error().while_doing(what)); \
    }                                                                           \
  } while (false)
