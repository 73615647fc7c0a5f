// SPDX-License-Identifier: Apache-2.0
// What CPUID says to guests: the host's leaves filtered by an allow-list, with the vcpu's own
// identity put in, and Xen's leaves (public/arch-x86/cpuid.h). Whatever is not listed here reads as
// absent, so that a newer CPU or emulator does not offer a guest what the hypervisor does not
// switch or intercept. Pure; compiles on the host. Bits: APM volume 3, appendix E.
#pragma once

#include <cstdint>

#include "hypervisor/abi/xen_version.hpp"
#include "hypervisor/x86_64/instructions.hpp"

namespace hyp::x86 {

struct CpuidVcpu {
  std::uint32_t domain = 0;
  std::uint32_t vcpu = 0;
  std::uint32_t vcpus = 1;
  std::uint32_t apic_id = 0;
  std::uint64_t tsc_khz = 0;
  std::uint32_t tsc_multiplier = 0;
  std::int32_t tsc_shift = 0;
};

namespace cpuid_detail {

constexpr std::uint32_t bit(unsigned n) {
  return 1U << n;
}

template <typename... Bits>
constexpr std::uint32_t bits(Bits... n) {
  return (bit(static_cast<unsigned>(n)) | ...);
}

// FPU PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2.
inline constexpr std::uint32_t leaf1_edx =
    bits(0, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 19, 23, 24, 25, 26);
// No XSAVE and so no AVX: the hypervisor switches FXSAVE's state.
// SSE3 PCLMUL SSSE3 CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES RDRAND
inline constexpr std::uint32_t leaf1_ecx = bits(0, 1, 9, 13, 19, 20, 22, 23, 25, 30);
inline constexpr std::uint32_t leaf1_ecx_x2apic = bit(21);
inline constexpr std::uint32_t leaf1_ecx_hypervisor = bit(31);
inline constexpr std::uint32_t leaf1_edx_htt = bit(28);
// FSGSBASE BMI1 SMEP BMI2 RDSEED ADX SMAP CLFLUSHOPT CLWB SHA. Not ERMS: Linux would clear pages by
// REP STOSB, which an emulator does byte by byte, in eight times the time of REP STOSQ.
inline constexpr std::uint32_t leaf7_ebx = bits(0, 3, 7, 8, 18, 19, 20, 23, 24, 29);
inline constexpr std::uint32_t extended1_ecx =
    bits(0, 4, 5, 6, 7, 8);  // LAHF CR8 ABM SSE4A MISALIGN PREFETCHW
// As leaf 1, then SYSCALL NX MMXEXT PDPE1GB LM
inline constexpr std::uint32_t extended1_edx =
    bits(0, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 20, 22, 23, 24, 26, 29);

using xl::abi::xen_version;
inline constexpr std::uint32_t xen_base = 0x40000000;
inline constexpr std::uint32_t xen_leaves = 5;

constexpr CpuidResult xen_leaf(const CpuidVcpu& vcpu, std::uint32_t leaf, std::uint32_t subleaf) {
  switch (leaf - xen_base) {
    case 0: return {xen_base + xen_leaves, 0x566e6558, 0x65584d4d, 0x4d4d566e};  // XenVMMXenVMM
    case 1: return {xen_version, 0, 0, 0};
    case 2: return {1, xen_base, 0, 0};  // one hypercall page, written through MSR 0x40000000
    case 3:  // the TSC is read natively, in mode 0: the hypervisor's choice
      switch (subleaf) {
        case 0: return {0, 0, static_cast<std::uint32_t>(vcpu.tsc_khz), 1};
        case 1: return {0, 0, vcpu.tsc_multiplier, static_cast<std::uint32_t>(vcpu.tsc_shift)};
        case 2: return {static_cast<std::uint32_t>(vcpu.tsc_khz), 0, 0, 0};
        default: return {};
      }
    case 4:
      // Mappings that a device may use, vcpu and domain id given, upcalls by a per-vcpu vector.
      return subleaf == 0 ? CpuidResult{bits(2, 3, 4, 6), vcpu.vcpu, vcpu.domain, 0}
                          : CpuidResult{};
    default: return {};  // 5 is PV guests'
  }
}

constexpr unsigned log2_up(std::uint32_t value) {
  unsigned bits_needed = 0;
  while ((1ULL << bits_needed) < value) {
    ++bits_needed;
  }
  return bits_needed;
}

// APIC ids, which step by 2 as the MADT gives them: what Xen tells (by xc_cpuid_apply_policy) on a
// host with as many CPUs as the domain has vcpus. On others it splits the vcpus into packages.
constexpr std::uint32_t apic_ids(const CpuidVcpu& vcpu) {
  return vcpu.vcpus * 2;
}

inline CpuidResult leaf1(CpuidResult host, const CpuidVcpu& vcpu) {
  const std::uint32_t ids = apic_ids(vcpu) > 255 ? 255 : apic_ids(vcpu);
  host.ebx = vcpu.apic_id << 24 | ids << 16 | 8U << 8;
  host.ecx = (host.ecx & leaf1_ecx) | leaf1_ecx_x2apic | leaf1_ecx_hypervisor;
  host.edx = (host.edx & leaf1_edx) | leaf1_edx_htt;  // that the ids are counted, as in Xen
  return host;
}

}  // namespace cpuid_detail

// `host(leaf, subleaf)` gives the physical CPU's CpuidResult.
template <typename Host>
CpuidResult cpuid_policy(const CpuidVcpu& vcpu, std::uint32_t leaf, std::uint32_t subleaf,
                         Host&& host) {
  using namespace cpuid_detail;
  constexpr std::uint32_t last_basic = 0xd;
  constexpr std::uint32_t last_extended = 0x80000008;
  if (leaf >= xen_base && leaf <= xen_base + 0xff) {
    return xen_leaf(vcpu, leaf, subleaf);
  }
  CpuidResult value = host(leaf, subleaf);
  switch (leaf) {
    case 0: value.eax = value.eax < last_basic ? value.eax : last_basic; return value;
    case 1: return leaf1(value, vcpu);
    case 6: return {bit(2), 0, 0, 0};  // the timer always runs
    case 7:
      value.ebx &= leaf7_ebx;
      return subleaf == 0 ? CpuidResult{0, value.ebx, 0, 0} : CpuidResult{};
    case 0xb: return {0, 0, subleaf & 0xff, vcpu.apic_id};  // no levels, as in Xen
    case 0x80000000:
      value.eax = value.eax < last_extended ? value.eax : last_extended;
      return value;
    case 0x80000001:
      value.ebx = 0;
      value.ecx &= extended1_ecx;
      value.edx &= extended1_edx;
      return value;
    case 0x80000002:
    case 0x80000003:
    case 0x80000004:
    case 0x80000005:
    case 0x80000006: return value;
    case 0x80000008:
      return {value.eax & 0xffff, 0, (apic_ids(vcpu) - 1) | log2_up(apic_ids(vcpu)) << 12, 0};
    default: return {};
  }
}

}  // namespace hyp::x86
