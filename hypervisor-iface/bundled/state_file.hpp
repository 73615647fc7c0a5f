// SPDX-License-Identifier: Apache-2.0
// What a daemon leaves in the runtime directory about the hypervisor that it started, for the
// daemon that comes after it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/types.hpp"
#include "base/unique_fd.hpp"

namespace xl::hv::bundled {

inline constexpr const char* state_file_name = "hypervisor.json";
inline constexpr const char* doorbell_name = "hypervisor.doorbell";
inline constexpr const char* log_file_name = "hypervisor.log";
inline constexpr const char* lock_name = "hypervisor.lock";

struct HypervisorState {
  pid_t pid = -1;                // QEMU's
  std::uint64_t start_time = 0;  // clock ticks since boot, with the pid its identity
  int ram_fd = -1;               // the RAM is /proc/<pid>/fd/<this>
  Bytes ram;
  unsigned cpus = 0;
  std::string image;  // hypervisor.elf it was started with
  std::string qemu;
};

// Made if missing, mode 0700. permission_denied if it is another user's or others may write to it.
Result<void> prepare_runtime_dir(const std::string& directory);

// Held as long as the descriptor is open, let go by the kernel when its process ends: who has it is
// the only daemon that uses this directory's hypervisor. busy if another has it.
Result<UniqueFd> lock_runtime_dir(const std::string& directory);

Result<void> write_state(const std::string& directory, const HypervisorState& state);
// Nothing if there is no file or it is not understood (then there is nothing that could be trusted
// in it).
std::optional<HypervisorState> read_state(const std::string& directory);
void remove_state(const std::string& directory);

}  // namespace xl::hv::bundled
