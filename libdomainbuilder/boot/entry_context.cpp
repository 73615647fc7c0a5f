// SPDX-License-Identifier: Apache-2.0
#include "base/bits.hpp"
#include "libdomainbuilder/boot/start_info.hpp"

namespace xl::build {

namespace {

// Attributes in the VMCB's form (AMD APM vol. 2, 15.5.1): type, S, DPL, P, AVL, L, D/B, G.
using Type = Bits<0, 4>;
using CodeOrData = Bits<4>;
using Present = Bits<7>;
using Default32 = Bits<10>;
using Granularity = Bits<11>;

constexpr std::uint16_t flat(std::uint64_t type) {
  return static_cast<std::uint16_t>(Type::make(type) | CodeOrData::mask | Present::mask |
                                    Default32::mask | Granularity::mask);
}

constexpr std::uint16_t code = flat(0xb);  // execute and read, accessed
constexpr std::uint16_t data = flat(0x3);  // read and write, accessed
constexpr std::uint16_t busy_tss32 = static_cast<std::uint16_t>(Type::make(0xb) | Present::mask);
constexpr std::uint16_t ldt = static_cast<std::uint16_t>(Type::make(0x2) | Present::mask);
static_assert(code == 0xc9b && data == 0xc93 && busy_tss32 == 0x8b);

constexpr std::uint32_t all = 0xffffffff;
constexpr std::uint64_t cr0_pe = 0x1;
constexpr std::uint64_t cr0_et = 0x10;       // hardwired to one
constexpr std::uint64_t rflags_fixed = 0x2;  // bit 1 is always one; VM, IF and TF are clear
constexpr std::uint64_t dr6_reset = 0xffff0ff0;
constexpr std::uint64_t dr7_reset = 0x400;

}  // namespace

hv::VcpuContext pvh_entry_context(GuestPhys entry, GuestPhys start_info) {
  hv::VcpuContext context;
  context.rip = entry.value();
  context.rbx = start_info.value();
  context.rflags = rflags_fixed;
  context.cr0 = cr0_pe | cr0_et;
  context.dr6 = dr6_reset;
  context.dr7 = dr7_reset;
  context.cs = {0, code, all, 0};
  context.ds = context.es = context.ss = context.fs = context.gs = {0, data, all, 0};
  context.tr = {0, busy_tss32, 0x67, 0};
  context.ldtr = {0, ldt, 0, 0};
  return context;
}

}  // namespace xl::build
