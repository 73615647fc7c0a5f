// SPDX-License-Identifier: Apache-2.0
// The daemon's log: levels, and a file that does not grow without end.
#pragma once

#include <string>

#include "base/error.hpp"

namespace xl::daemon {

// Sets spdlog's default logger. `file` empty: standard error.
Result<void> open_log(const std::string& file, const std::string& level);

}  // namespace xl::daemon
