// SPDX-License-Identifier: Apache-2.0
// The core files that on_crash and its like write: NAME-20261122T160500Z.core, the newest few of
// each name.
#pragma once

#include <chrono>
#include <string>

#include "base/error.hpp"

namespace xl::toolstack {

inline constexpr std::size_t dumps_kept = 5;  // of one name, the one that is being written included

// Makes the folder, removes the oldest files of that name, and gives the path of the next.
Result<std::string> prepare_dump_file(const std::string& directory, const std::string& name,
                                      std::chrono::system_clock::time_point now);

}  // namespace xl::toolstack
