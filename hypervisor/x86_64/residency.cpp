// SPDX-License-Identifier: Apache-2.0
// The hypervisor itself uses neither FPU nor debug registers, so a guest's stay in the CPU across
// exits. They go to memory when the CPU gives the vcpu up (Machine::switch_out, under the
// scheduler's lock, so that no other CPU takes it before).
#include "hypervisor/x86_64/exits.hpp"
#include "hypervisor/x86_64/instructions.hpp"
#include "hypervisor/x86_64/per_cpu.hpp"

namespace hyp::x86 {
namespace {

void save(VcpuState& state) {
  // SAFETY: fpu is a page, which is large enough and aligned for an FXSAVE image; DR0-DR3 are only
  // read.
  asm volatile("fxsave64 (%0)" : : "r"(state.fpu) : "memory");
  asm volatile("mov %%dr0, %0; mov %%dr1, %1; mov %%dr2, %2; mov %%dr3, %3"
               : "=r"(state.debug_address[0]), "=r"(state.debug_address[1]),
                 "=r"(state.debug_address[2]), "=r"(state.debug_address[3]));
}

void load(const VcpuState& state) {
  // SAFETY: the image is one that save() or reset_fpu() wrote. DR7 is off in the hypervisor: the
  // addresses mean nothing to it.
  asm volatile("fxrstor64 (%0)" : : "r"(state.fpu) : "memory");
  asm volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3"
               :
               : "r"(state.debug_address[0]), "r"(state.debug_address[1]),
                 "r"(state.debug_address[2]), "r"(state.debug_address[3]));
}

std::uint64_t identity_of(const MachineVcpu& vcpu) {
  // SAFETY: the address as a number that is only compared.
  return reinterpret_cast<std::uint64_t>(&vcpu);
}

}  // namespace

void Machine::switch_out(MachineVcpu& vcpu) {
  PerCpu& cpu = this_cpu();
  if (cpu.resident_vcpu == identity_of(vcpu)) {
    save(vcpu.arch);
    cpu.resident_vcpu = 0;
  }
}

void switch_in(MachineVcpu& vcpu) {
  PerCpu& cpu = this_cpu();
  if (cpu.resident_vcpu != identity_of(vcpu)) {
    load(vcpu.arch);
    cpu.resident_vcpu = identity_of(vcpu);
  }
}

}  // namespace hyp::x86
