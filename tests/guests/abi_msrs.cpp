// SPDX-License-Identifier: Apache-2.0
// MSRs that a domain finds, and what they make of values: also of those that they cannot take.
#include "tests/guests/abi.hpp"
#include "tests/guests/runtime/abi.hpp"
#include "tests/guests/runtime/traps.hpp"

namespace guest {
namespace {

volatile bool faulted_;

void skip_msr(TrapFrame& frame) {
  faulted_ = true;
  frame.rip += 2;
}

void msr(const char* name, uint32_t index) {
  faulted_ = false;
  const uint64_t value = rdmsr(index);
  if (faulted_) {
    say("msr ", name, " = #GP");
  } else {
    say("msr ", name, " = ", Hex{value});
  }
}

void write_msr(const char* name, uint32_t index, uint64_t value) {
  faulted_ = false;
  wrmsr(index, value);
  say("msr ", name, " is written = ", faulted_ ? "#GP" : "yes");
  msr(name, index);
}

void features() {
  msr("APIC_BASE", 0x1b);
  msr("FEATURE_CONTROL", 0x3a);
  msr("PLATFORM_INFO", 0xce);
  msr("MISC_FEATURES_ENABLES", 0x140);
  msr("MISC_ENABLE", 0x1a0);
  msr("x2APIC ID in xAPIC mode", 0x802);
  msr("TSC_DEADLINE", 0x6e0);
  msr("hypercall page", 0x40000000);
  msr("one that is not there", 0x12345);
  write_msr("PLATFORM_INFO, 0", 0xce, 0);
  write_msr("MISC_FEATURES_ENABLES, 2", 0x140, 2);
  write_msr("MISC_FEATURES_ENABLES, 1", 0x140, 1);
  tell("cpuid while it faults in user mode", cpuid(0x40000000).ebx);
  write_msr("MISC_FEATURES_ENABLES, 0", 0x140, 0);
  write_msr("TSC_DEADLINE, 1", 0x6e0, 1);
}

void memory_types() {
  constexpr uint32_t def_type = 0x2ff;
  constexpr uint32_t fix64k = 0x250;
  constexpr uint32_t base0 = 0x200;
  constexpr uint32_t mask0 = 0x201;
  msr("MTRRcap", 0xfe);
  msr("MTRRphysBase0", base0);
  msr("MTRRphysMask7", 0x20f);
  msr("MTRRphysBase8", 0x210);
  msr("MTRRfix64K", fix64k);
  msr("MTRRfix4K_F8000", 0x26f);
  msr("MTRRdefType", def_type);
  write_msr("MTRRcap, as it is", 0xfe, 0x508);
  write_msr("MTRRdefType, fixed ranges", def_type, 0xc06);
  write_msr("MTRRdefType, type 2", def_type, 0x802);
  write_msr("MTRRdefType, bit 8", def_type, 0x906);
  write_msr("MTRRdefType, bit 12", def_type, 0x1806);
  write_msr("MTRRdefType, as it was", def_type, 0x806);
  write_msr("MTRRfix64K, write-back", fix64k, 0x0606060606060606);
  write_msr("MTRRfix64K, type 7", fix64k, 0x0606070606060606);
  write_msr("MTRRfix64K, as it was", fix64k, 0);
  write_msr("MTRRphysBase0, write-back", base0, 0xfe000006);
  write_msr("MTRRphysBase0, type 3", base0, 0xfe000003);
  write_msr("MTRRphysBase0, bit 8", base0, 0xfe000106);
  write_msr("MTRRphysBase0, bit 62", base0, 1ULL << 62);
  write_msr("MTRRphysMask0, 16 MiB", mask0, 0xff000800);
  write_msr("MTRRphysMask0, bit 0", mask0, 0xff000801);
  write_msr("MTRRphysMask0, bit 9", mask0, 0xff000a00);
  write_msr("MTRRphysMask0, as it was", mask0, 0);
  write_msr("MTRRphysBase0, as it was", base0, 0);
  write_msr("MTRRphysBase8, 0", 0x210, 0);
}

void machine_check() {
  msr("P5_MC_ADDR", 0);
  msr("P5_MC_TYPE", 1);
  msr("MCG_CAP", 0x179);
  msr("MCG_STATUS", 0x17a);
  msr("MCG_CTL", 0x17b);
  msr("MC0_CTL2", 0x280);
  msr("MC31_CTL2", 0x29f);
  msr("MC0_CTL", 0x400);
  msr("MC0_STATUS", 0x401);
  msr("MC1_MISC", 0x407);
  msr("MC2_CTL", 0x408);
  msr("MC31_MISC", 0x47f);
  msr("MCG_EXT_CTL", 0x4d0);
  msr("MC4_MISC1", 0xc0000408);
  write_msr("P5_MC_ADDR, 0", 0, 0);
  write_msr("MCG_CAP, 0", 0x179, 0);
  write_msr("MCG_STATUS, 7", 0x17a, 7);
  write_msr("MCG_STATUS, 0", 0x17a, 0);
  write_msr("MCG_CTL, 0", 0x17b, 0);
  write_msr("MC0_CTL2, 1", 0x280, 1);
  write_msr("MC0_CTL, 0", 0x400, 0);
  write_msr("MC0_STATUS, 1", 0x401, 1);
  write_msr("MC0_STATUS, 0", 0x401, 0);
  write_msr("MC1_ADDR, 1", 0x406, 1);
  write_msr("MC1_MISC, 1", 0x407, 1);
  write_msr("MC2_STATUS, 1", 0x409, 1);
  write_msr("MCG_EXT_CTL, 0", 0x4d0, 0);
  write_msr("MC4_MISC1, 0", 0xc0000408, 0);
}

// Of AMD's families, which kernels touch because of the CPU's name.
void family() {
  msr("DEBUG_CONTROL", 0x1d9);
  msr("EFER", 0xc0000080);
  msr("SYSCFG", 0xc0010010);
  msr("HWCR", 0xc0010015);
  msr("NB_CFG", 0xc001001f);
  msr("INTERRUPT_PENDING", 0xc0010055);
  msr("VM_CR", 0xc0010114);
  msr("LS_CFG", 0xc0011020);
  msr("IC_CFG", 0xc0011021);
  msr("DE_CFG", 0xc0011029);
  write_msr("SYSCFG, 0", 0xc0010010, 0);
  write_msr("HWCR, 0", 0xc0010015, 0);
  write_msr("DE_CFG, 0", 0xc0011029, 0);
}

}  // namespace

void tell_msrs() {
  set_trap_handler(13, skip_msr);
  features();
  memory_types();
  machine_check();
  family();
}

}  // namespace guest
