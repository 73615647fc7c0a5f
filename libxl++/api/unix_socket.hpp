// SPDX-License-Identifier: Apache-2.0
// Unix stream sockets at any path: one that does not fit sun_path (107 bytes) is reached through
// /proc/self/fd. Any thread.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xl::api {

// Blocking, close-on-exec. The peer must be this user's process, or root's. Errors: not_found
// if nobody listens there, permission_denied.
Result<UniqueFd> connect_unix(const std::string& path);

// Listening, non-blocking, mode 0600. It appears at `path` only once it accepts connections,
// replacing what was there.
Result<UniqueFd> listen_unix(const std::string& path);

}  // namespace xl::api
