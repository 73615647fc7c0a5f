// SPDX-License-Identifier: Apache-2.0
// Which process runs the hypervisor of a runtime directory, whatever moment its daemon was killed
// at. The state file names it; but before that is written, the process holds a lock, which it
// inherited (docs/adr/0090).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xl::hv::bundled {

inline constexpr const char* running_name = "hypervisor.running";

struct RunningProcess {
  UniqueFd process;  // pidfd
  pid_t pid = -1;
  std::uint64_t start_time = 0;
};

// With the directory's lock held (state_file.hpp), but for is_left_running.

// The hypervisor's process, or the one that was about to become it; nothing if none runs.
Result<std::optional<RunningProcess>> find_running(const std::string& directory);

// Whether a daemon that starts now would have something to attach to: no answer as to its health.
// Without any lock held, but not beside a start.
bool is_left_running(const std::string& directory);

// For the hypervisor's process to inherit: the lock lasts as long as any process has the
// descriptor. busy if one has it.
Result<UniqueFd> lock_running(const std::string& directory);

// Ends the hypervisor that find_running() finds, with its domains, and removes its state.
Result<void> end_stale(const std::string& directory);

}  // namespace xl::hv::bundled
