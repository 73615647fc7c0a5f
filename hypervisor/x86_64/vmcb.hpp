// SPDX-License-Identifier: Apache-2.0
// The virtual machine control block, one page per vcpu. APM volume 2, appendix B: tables B-1
// (control) and B-2 (state save). Pure layout; compiles on the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/bits.hpp"

namespace hyp::x86 {

struct VmcbSegment {
  std::uint16_t selector;
  std::uint16_t attributes;  // type 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9, D/B 10, G 11
  std::uint32_t limit;
  std::uint64_t base;
};

struct Vmcb {
  // --- control area
  std::uint32_t intercept_cr;
  std::uint32_t intercept_dr;
  std::uint32_t intercept_exceptions;
  std::uint32_t intercepts1;
  std::uint32_t intercepts2;
  std::uint32_t intercepts3;
  std::uint8_t reserved0[0x24];
  std::uint16_t pause_threshold;
  std::uint16_t pause_count;
  std::uint64_t iopm_base;
  std::uint64_t msrpm_base;
  std::uint64_t tsc_offset;
  std::uint32_t asid;
  std::uint8_t tlb_control;
  std::uint8_t reserved1[3];
  std::uint64_t interrupt_control;  // interrupt_control::*
  std::uint64_t interrupt_shadow;   // bit 0
  std::uint64_t exit_code;
  std::uint64_t exit_info1;
  std::uint64_t exit_info2;
  std::uint64_t exit_interrupt_info;  // event::*
  std::uint64_t nested_control;       // bit 0: nested paging
  std::uint8_t reserved2[0x10];
  std::uint64_t event_injection;  // event::*
  std::uint64_t nested_cr3;
  std::uint64_t lbr_control;
  std::uint32_t clean;
  std::uint32_t reserved3;
  std::uint64_t next_rip;
  std::uint8_t reserved4[0x330];
  // --- state save area
  VmcbSegment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
  std::uint8_t reserved5[0x2b];
  std::uint8_t cpl;
  std::uint32_t reserved6;
  std::uint64_t efer;
  std::uint8_t reserved7[0x70];
  std::uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
  std::uint8_t reserved8[0x58];
  std::uint64_t rsp;
  std::uint8_t reserved9[0x18];
  std::uint64_t rax;
  std::uint64_t star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip;
  std::uint64_t cr2;
  std::uint8_t reserved10[0x20];
  std::uint64_t g_pat;
  std::uint8_t reserved11[0x990];
};
static_assert(sizeof(Vmcb) == 4096 && std::is_standard_layout_v<Vmcb>);
static_assert(std::has_unique_object_representations_v<Vmcb>);
static_assert(offsetof(Vmcb, intercepts1) == 0x0c && offsetof(Vmcb, pause_threshold) == 0x3c);
static_assert(offsetof(Vmcb, iopm_base) == 0x40 && offsetof(Vmcb, msrpm_base) == 0x48);
static_assert(offsetof(Vmcb, tsc_offset) == 0x50 && offsetof(Vmcb, asid) == 0x58);
static_assert(offsetof(Vmcb, tlb_control) == 0x5c && offsetof(Vmcb, interrupt_control) == 0x60);
static_assert(offsetof(Vmcb, interrupt_shadow) == 0x68 && offsetof(Vmcb, exit_code) == 0x70);
static_assert(offsetof(Vmcb, exit_info1) == 0x78 && offsetof(Vmcb, exit_info2) == 0x80);
static_assert(offsetof(Vmcb, exit_interrupt_info) == 0x88 &&
              offsetof(Vmcb, nested_control) == 0x90);
static_assert(offsetof(Vmcb, event_injection) == 0xa8 && offsetof(Vmcb, nested_cr3) == 0xb0);
static_assert(offsetof(Vmcb, clean) == 0xc0 && offsetof(Vmcb, next_rip) == 0xc8);
static_assert(offsetof(Vmcb, es) == 0x400 && offsetof(Vmcb, fs) == 0x440);
static_assert(offsetof(Vmcb, gdtr) == 0x460 && offsetof(Vmcb, tr) == 0x490);
static_assert(offsetof(Vmcb, cpl) == 0x4cb && offsetof(Vmcb, efer) == 0x4d0);
static_assert(offsetof(Vmcb, cr4) == 0x548 && offsetof(Vmcb, rip) == 0x578);
static_assert(offsetof(Vmcb, rsp) == 0x5d8 && offsetof(Vmcb, rax) == 0x5f8);
static_assert(offsetof(Vmcb, star) == 0x600 && offsetof(Vmcb, sysenter_eip) == 0x638);
static_assert(offsetof(Vmcb, cr2) == 0x640 && offsetof(Vmcb, g_pat) == 0x668);

namespace intercept1 {
inline constexpr std::uint32_t intr = 1U << 0;
inline constexpr std::uint32_t nmi = 1U << 1;
inline constexpr std::uint32_t smi = 1U << 2;
inline constexpr std::uint32_t init = 1U << 3;
inline constexpr std::uint32_t rdpmc = 1U << 15;
inline constexpr std::uint32_t cpuid = 1U << 18;
inline constexpr std::uint32_t iret = 1U << 20;
inline constexpr std::uint32_t invd = 1U << 22;
inline constexpr std::uint32_t hlt = 1U << 24;
inline constexpr std::uint32_t invlpga = 1U << 26;
inline constexpr std::uint32_t ioio = 1U << 27;
inline constexpr std::uint32_t msr = 1U << 28;
inline constexpr std::uint32_t freeze = 1U << 30;
inline constexpr std::uint32_t shutdown = 1U << 31;
}  // namespace intercept1

namespace intercept2 {
inline constexpr std::uint32_t vmrun = 1U << 0;
inline constexpr std::uint32_t vmmcall = 1U << 1;
inline constexpr std::uint32_t vmload = 1U << 2;
inline constexpr std::uint32_t vmsave = 1U << 3;
inline constexpr std::uint32_t stgi = 1U << 4;
inline constexpr std::uint32_t clgi = 1U << 5;
inline constexpr std::uint32_t skinit = 1U << 6;
inline constexpr std::uint32_t wbinvd = 1U << 9;
inline constexpr std::uint32_t monitor = 1U << 10;
inline constexpr std::uint32_t mwait = 1U << 11;
inline constexpr std::uint32_t mwait_armed = 1U << 12;
inline constexpr std::uint32_t xsetbv = 1U << 13;
inline constexpr std::uint32_t rdpru = 1U << 14;
}  // namespace intercept2

namespace interrupt_control {
using Tpr = xl::Bits<0, 4>;
using Irq = xl::Bits<8>;
using Priority = xl::Bits<16, 4>;
using IgnoreTpr = xl::Bits<20>;
using Masking = xl::Bits<24>;
using Vector = xl::Bits<32, 8>;
}  // namespace interrupt_control

// EVENTINJ and EXITINTINFO.
namespace event {
using Vector = xl::Bits<0, 8>;
using Type = xl::Bits<8, 3>;
using HasErrorCode = xl::Bits<11>;
using Valid = xl::Bits<31>;
using ErrorCode = xl::Bits<32, 32>;
inline constexpr std::uint64_t type_interrupt = 0;
inline constexpr std::uint64_t type_nmi = 2;
inline constexpr std::uint64_t type_exception = 3;
inline constexpr std::uint64_t type_software = 4;
}  // namespace event

// APM volume 2, appendix C.
enum class ExitCode : std::uint64_t {
  intr = 0x60,
  nmi = 0x61,
  smi = 0x62,
  init = 0x63,
  rdpmc = 0x6f,
  cpuid = 0x72,
  iret = 0x74,
  invd = 0x76,
  hlt = 0x78,
  invlpga = 0x7a,
  ioio = 0x7b,
  msr = 0x7c,
  freeze = 0x7e,
  shutdown = 0x7f,
  vmrun = 0x80,
  vmmcall = 0x81,
  vmload = 0x82,
  vmsave = 0x83,
  stgi = 0x84,
  clgi = 0x85,
  skinit = 0x86,
  wbinvd = 0x89,
  monitor = 0x8a,
  mwait = 0x8b,
  mwait_armed = 0x8c,
  xsetbv = 0x8d,
  rdpru = 0x8e,
  npf = 0x400,
  invalid = ~0ULL,
};

// EXITINFO1 of IOIO.
namespace io_info {
using In = xl::Bits<0>;
using String = xl::Bits<2>;
using Repeat = xl::Bits<3>;
using Size = xl::Bits<4, 3>;  // in bytes: 1, 2, 4 as one bit each
using Port = xl::Bits<16, 16>;
}  // namespace io_info

// EXITINFO1 of NPF.
namespace npf_info {
using Present = xl::Bits<0>;
using Write = xl::Bits<1>;
using Fetch = xl::Bits<4>;
}  // namespace npf_info

}  // namespace hyp::x86
