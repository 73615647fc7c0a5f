// SPDX-License-Identifier: Apache-2.0
// SVM on a physical CPU, and the permission maps that all vcpus share. APM volume 2, chapter 15.
#pragma once

#include <cstdint>

#include "hypervisor/x86_64/per_cpu.hpp"

namespace hyp::x86 {

// Why this CPU cannot run guests; null if it can.
const char* missing_svm_feature();

// Once, before the first enable_svm(): which MSRs guests reach without an exit; all I/O ports exit.
void build_permission_maps();
std::uint64_t msr_permission_map();
std::uint64_t io_permission_map();

// On the CPU itself, after load_cpu_tables().
void enable_svm(PerCpu& cpu);

}  // namespace hyp::x86
