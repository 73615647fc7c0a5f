// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace hyp::x86 {

// CPUs that the machine has, from QEMU's fw_cfg (docs/specs/fw_cfg); 1 without it. At most
// max_physical_cpus and the boot CPU.
std::uint32_t count_cpus();

// Starts `count` CPUs beside the boot CPU, one after the other; each runs cpu_start() on its own
// PerCpu. Returns how many run now. Overwrites one page below 1 MiB.
std::uint32_t start_cpus(std::uint32_t count);

}  // namespace hyp::x86
