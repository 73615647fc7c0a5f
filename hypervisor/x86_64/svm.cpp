// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/svm.hpp"

#include <cstring>
#include <initializer_list>

#include "hypervisor/x86_64/instructions.hpp"

namespace hyp::x86 {
namespace {

struct alignas(4096) Page {
  std::uint8_t bytes[4096];
};

// Two per CPU: what VMRUN and what VMSAVE keep of the hypervisor.
[[gnu::section(".bss.page")]] constinit Page host_save_areas[max_physical_cpus]{};
[[gnu::section(".bss.page")]] constinit Page host_vmcbs[max_physical_cpus]{};
[[gnu::section(".bss.page")]] constinit Page msr_map[2]{};
[[gnu::section(".bss.page")]] constinit Page io_map[3]{};

std::uint64_t address_of(const Page* page) {
  // SAFETY: memory is identity-mapped: an object's address is its physical address.
  return reinterpret_cast<std::uint64_t>(page);
}

// Two bits per MSR, read and write, in three ranges of 8192: APM section 15.11.
void allow_msr(Msr msr, bool read, bool write) {
  const auto number = static_cast<std::uint32_t>(msr);
  const std::uint32_t range = number >= 0xc0010000 ? 2 : number >= 0xc0000000 ? 1 : 0;
  const std::uint32_t bit = (range * 8192 + (number & 0x1fff)) * 2;
  std::uint8_t& byte = msr_map[bit / 8 / sizeof(Page)].bytes[bit / 8 % sizeof(Page)];
  const auto clear = static_cast<std::uint8_t>((read ? 1 : 0) | (write ? 2 : 0));
  byte = static_cast<std::uint8_t>(byte & ~(clear << bit % 8));
}

// The paging features that 64-bit guests turn on. The hypervisor has no user pages, so they cost it
// nothing; but an emulator flushes its TLB once more in each direction of the switch for each
// register of them that differs.
void match_guest_cr4() {
  const std::uint32_t features = cpuid(0).eax >= 7 ? cpuid(7).ebx : 0;
  constexpr std::uint32_t has_smep = 1U << 7;
  constexpr std::uint32_t has_smap = 1U << 20;
  write_cr4(read_cr4() | ((features & has_smep) != 0 ? cr4::smep : 0) |
            ((features & has_smap) != 0 ? cr4::smap : 0));
}

}  // namespace

const char* missing_svm_feature() {
  constexpr std::uint32_t svm_leaf = 0x8000000a;
  constexpr std::uint32_t svm_bit = 1U << 2;
  constexpr std::uint32_t nested_paging = 1U << 0;
  constexpr std::uint64_t svm_disabled = 1U << 4;
  if (cpuid(0x80000000).eax < svm_leaf || (cpuid(0x80000001).ecx & svm_bit) == 0) {
    return "no SVM";
  }
  if ((cpuid(svm_leaf).edx & nested_paging) == 0) {
    return "no nested paging";
  }
  return (read_msr(Msr::vm_cr) & svm_disabled) != 0 ? "SVM is disabled by the firmware" : nullptr;
}

void build_permission_maps() {
  std::memset(msr_map, 0xff, sizeof(msr_map));
  std::memset(io_map, 0xff, sizeof(io_map));
  // Swapped by VMLOAD and VMSAVE; a guest cannot hurt anybody with them.
  for (const Msr msr :
       {Msr::star, Msr::lstar, Msr::cstar, Msr::sfmask, Msr::fs_base, Msr::gs_base,
        Msr::kernel_gs_base, Msr::sysenter_cs, Msr::sysenter_esp, Msr::sysenter_eip}) {
    allow_msr(msr, true, true);
  }
  allow_msr(Msr::tsc, true, false);
}

std::uint64_t msr_permission_map() {
  return address_of(msr_map);
}
std::uint64_t io_permission_map() {
  return address_of(io_map);
}

void enable_svm(PerCpu& cpu) {
  match_guest_cr4();
  write_msr(Msr::efer, read_msr(Msr::efer) | efer::svme);
  write_msr(Msr::vm_hsave_pa, address_of(&host_save_areas[cpu.index]));
  cpu.host_vmcb = address_of(&host_vmcbs[cpu.index]);
  // SAFETY: keeps FS, GS, TR, LDTR and the syscall MSRs as they are now and stay in this program,
  // in a page of its own.
  asm volatile("vmsave %0" : : "a"(cpu.host_vmcb) : "memory");
}

}  // namespace hyp::x86
