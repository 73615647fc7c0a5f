// SPDX-License-Identifier: Apache-2.0
// The one place that knows how QEMU is called, and where the programs lie.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"

namespace xl::hv::bundled {

// Descriptors that the QEMU process inherits, by fixed number: a later xld finds the RAM at
// /proc/<pid>/fd/3.
inline constexpr int ram_fd_number = 3;
inline constexpr int doorbell_fd_number = 4;
inline constexpr int running_fd_number = 5;  // a lock (running.hpp); QEMU does nothing with it

struct Machine {
  std::string qemu;              // path of qemu-system-x86_64
  std::string hypervisor_image;  // path of hypervisor.elf
  Bytes memory;
  unsigned cpus = 1;  // that run domains
};

// argv, the program first.
std::vector<std::string> qemu_command(const Machine& machine);

// `given` if not empty, else $XL_QEMU, else qemu-system-x86_64 in PATH; the error says how to
// install it.
Result<std::string> find_qemu(const std::string& given);
// `given` if not empty, else beside this program's build or installation.
Result<std::string> find_hypervisor_image(const std::string& given);
// "7.2.22", by asking the program; empty if it cannot be told.
std::string qemu_version(const std::string& qemu);

}  // namespace xl::hv::bundled
