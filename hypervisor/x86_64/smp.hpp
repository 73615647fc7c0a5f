// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace hyp::x86 {

// CPUs that the machine has, from QEMU's fw_cfg (docs/specs/fw_cfg); 1 without it. At most
// max_physical_cpus.
std::uint32_t count_cpus();

// Starts CPUs 1 .. count-1, one after the other; each runs cpu_start() on its own PerCpu. Returns
// how many run now, the caller's included. Overwrites one page below 1 MiB.
std::uint32_t start_other_cpus(std::uint32_t count);

}  // namespace hyp::x86
