// SPDX-License-Identifier: Apache-2.0
// Control registers, MSRs and flags by name. AMD64 Architecture Programmer's Manual (APM), volume
// 2, order no. 24593: CR0/CR4/EFER section 3.1, MSRs appendix A. Freestanding, no instructions.
#pragma once

#include <cstdint>

namespace hyp::x86 {

namespace cr0 {
inline constexpr std::uint64_t pe = 1ULL << 0;
inline constexpr std::uint64_t et = 1ULL << 4;
inline constexpr std::uint64_t wp = 1ULL << 16;
inline constexpr std::uint64_t nw = 1ULL << 29;
inline constexpr std::uint64_t cd = 1ULL << 30;
inline constexpr std::uint64_t pg = 1ULL << 31;
}  // namespace cr0

namespace cr4 {
inline constexpr std::uint64_t pse = 1ULL << 4;
inline constexpr std::uint64_t pae = 1ULL << 5;
inline constexpr std::uint64_t la57 = 1ULL << 12;
inline constexpr std::uint64_t osxsave = 1ULL << 18;
inline constexpr std::uint64_t smep = 1ULL << 20;
inline constexpr std::uint64_t smap = 1ULL << 21;
inline constexpr std::uint64_t pke = 1ULL << 22;
}  // namespace cr4

namespace efer {
inline constexpr std::uint64_t sce = 1ULL << 0;
inline constexpr std::uint64_t lme = 1ULL << 8;
inline constexpr std::uint64_t lma = 1ULL << 10;
inline constexpr std::uint64_t nxe = 1ULL << 11;
inline constexpr std::uint64_t svme = 1ULL << 12;
}  // namespace efer

namespace rflags {
inline constexpr std::uint64_t fixed = 1ULL << 1;
inline constexpr std::uint64_t trap = 1ULL << 8;
inline constexpr std::uint64_t interrupt = 1ULL << 9;
inline constexpr std::uint64_t vm86 = 1ULL << 17;
}  // namespace rflags

enum class Msr : std::uint32_t {
  tsc = 0x10,
  apic_base = 0x1b,
  feature_control = 0x3a,
  spec_ctrl = 0x48,
  pred_cmd = 0x49,
  platform_info = 0xce,
  patch_level = 0x8b,
  arch_capabilities = 0x10a,
  misc_features_enables = 0x140,
  sysenter_cs = 0x174,
  sysenter_esp = 0x175,
  sysenter_eip = 0x176,
  misc_enable = 0x1a0,
  debug_control = 0x1d9,
  pat = 0x277,
  tsc_deadline = 0x6e0,
  x2apic_first = 0x800,
  x2apic_last = 0x8ff,
  xss = 0xda0,
  hypercall_page = 0x40000000,  // announced by CPUID leaf 0x40000002
  efer = 0xc0000080,
  star = 0xc0000081,
  lstar = 0xc0000082,
  cstar = 0xc0000083,
  sfmask = 0xc0000084,
  fs_base = 0xc0000100,
  gs_base = 0xc0000101,
  kernel_gs_base = 0xc0000102,
  tsc_aux = 0xc0000103,
  syscfg = 0xc0010010,
  hwcr = 0xc0010015,
  northbridge_cfg = 0xc001001f,
  interrupt_pending = 0xc0010055,
  vm_cr = 0xc0010114,
  vm_hsave_pa = 0xc0010117,
  de_cfg = 0xc0011029,
};

}  // namespace hyp::x86
