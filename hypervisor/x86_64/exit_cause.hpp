// SPDX-License-Identifier: Apache-2.0
// The kinds of #VMEXIT that are counted per vcpu; shown by the counters operation.
#pragma once

#include <cstdint>

namespace hyp::x86 {

enum class ExitCause : std::uint8_t {
  interrupt,
  hlt,
  cpuid,
  rdmsr,
  wrmsr,
  vmmcall,
  io,
  lapic,  // xAPIC page
  absent_memory,
  first_touch,  // of memory on demand
  wbinvd,
  iret,
  refused,  // instructions that get #UD or #GP
  fatal,
  count,
};

constexpr const char* name_of(ExitCause cause) {
  switch (cause) {
    case ExitCause::interrupt: return "interrupt";
    case ExitCause::hlt: return "hlt";
    case ExitCause::cpuid: return "cpuid";
    case ExitCause::rdmsr: return "rdmsr";
    case ExitCause::wrmsr: return "wrmsr";
    case ExitCause::vmmcall: return "vmmcall";
    case ExitCause::io: return "io";
    case ExitCause::lapic: return "lapic";
    case ExitCause::absent_memory: return "absent_memory";
    case ExitCause::first_touch: return "first_touch";
    case ExitCause::wbinvd: return "wbinvd";
    case ExitCause::iret: return "iret";
    case ExitCause::refused: return "refused";
    case ExitCause::fatal: return "fatal";
    case ExitCause::count: break;
  }
  return "unknown";
}

}  // namespace hyp::x86
