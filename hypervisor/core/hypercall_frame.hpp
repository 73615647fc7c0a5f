// SPDX-License-Identifier: Apache-2.0
// What crosses the boundary between x86_64/ and the core at an exit. Freestanding.
#pragma once

#include <array>
#include <cstdint>

namespace hyp {

// A hypercall as the registers hold it. 64-bit: number RAX, args RDI RSI RDX R10 R8 R9. 32-bit:
// EAX, EBX ECX EDX ESI EDI EBP, zero-extended. The core checks neither CPL nor mode: the platform
// answers -EPERM outside of ring 0 itself.
struct HypercallFrame {
  std::uint64_t number = 0;
  std::array<std::uint64_t, 6> args{};
  bool wide = true;  // 64-bit layout of structures
  // --- out
  std::uint64_t result = 0;  // for RAX (EAX), unless restart
  // The work is not finished: write args back to their registers, leave RIP on the VMMCALL, go to
  // schedule().
  bool restart = false;
};

// Why the platform ends a domain; printed into the log with the registers (P::get_context).
struct CrashReport {
  const char* cause = "";  // "triple fault", "unhandled exit"
  std::uint64_t exit_code = 0;
  std::uint64_t info1 = 0;
  std::uint64_t info2 = 0;
  bool reboots = false;  // a triple fault resets a machine: SHUTDOWN_reboot, not SHUTDOWN_crash
};

// A stretch of RAM that the core may give to domains, page aligned, outside of the image and the
// host area.
struct MemoryRange {
  std::uint64_t start = 0;  // bytes
  std::uint64_t size = 0;
};

inline constexpr unsigned max_memory_ranges = 32;

struct InitInfo {
  std::array<MemoryRange, max_memory_ranges>
      ranges{};  // ascending, disjoint, zero, never executed from
  unsigned range_count = 0;
  unsigned cpus = 1;
  std::uint64_t tsc_khz = 0;
  std::uint64_t hypervisor_pages = 0;  // taken by image, stacks, host area
};

// What a CPU does next.
template <typename VcpuType>
struct Next {
  VcpuType* vcpu = nullptr;  // null: nothing is runnable
  std::uint64_t deadline =
      ~0ULL;  // system time at which schedule() wants to be called again; ~0: not by the clock
};

}  // namespace hyp
