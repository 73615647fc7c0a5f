// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/cpuid_policy.hpp"
#include "hypervisor/x86_64/exits.hpp"

namespace hyp::x86 {
namespace {

constexpr std::uint64_t cpuid_length = 2;

CpuidResult answer(const MachineVcpu& vcpu, std::uint32_t leaf, std::uint32_t subleaf) {
  const MachineDomain& domain = *vcpu.domain;
  const ClockScale scale = machine.clock_scale();
  const CpuidVcpu identity{
      .domain = domain.id.value(),
      .vcpu = vcpu.id.value(),
      .vcpus = domain.vcpu_count,
      .apic_id = vcpu.arch.lapic.id(),
      .tsc_khz = machine.tsc_khz(),
      .tsc_multiplier = scale.tsc_to_system_mul,
      .tsc_shift = scale.tsc_shift,
  };
  if (const xl::abi::CpuidRecord* row = domain.find_cpuid(leaf, subleaf)) {
    return {row->eax, row->ebx, row->ecx, row->edx};
  }
  return cpuid_policy(identity, leaf, subleaf,
                      [](std::uint32_t l, std::uint32_t s) { return cpuid(l, s); });
}

}  // namespace

void handle_cpuid(MachineVcpu& vcpu) {
  Vmcb& vmcb = *vcpu.arch.vmcb;
  if (vcpu.arch.cpuid_faults && vmcb.cpl != 0) {
    inject_exception(vcpu, exception_gp, 0);
    return;
  }
  GuestRegisters& r = vcpu.arch.registers;
  const CpuidResult result =
      answer(vcpu, static_cast<std::uint32_t>(vmcb.rax), static_cast<std::uint32_t>(r.rcx));
  vmcb.rax = result.eax;
  r.rbx = result.ebx;
  r.rcx = result.ecx;
  r.rdx = result.edx;
  advance(vcpu, cpuid_length);
}

}  // namespace hyp::x86
