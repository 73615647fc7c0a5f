// SPDX-License-Identifier: Apache-2.0
// RDMSR and WRMSR that exit. What is neither here nor in the permission map raises #GP, as under
// Xen: operating systems probe with that.
#include <cstring>
#include <optional>

#include "hypervisor/x86_64/exits.hpp"
#include "hypervisor/x86_64/instructions.hpp"
#include "hypervisor/x86_64/registers.hpp"

namespace hyp::x86 {
namespace {

constexpr std::uint64_t msr_length = 2;
constexpr std::uint64_t guest_efer = efer::sce | efer::lme | efer::lma | efer::nxe;

bool in_x2apic_range(std::uint32_t number) {
  return number >= static_cast<std::uint32_t>(Msr::x2apic_first) &&
         number <= static_cast<std::uint32_t>(Msr::x2apic_last);
}

std::uint32_t x2apic_register(std::uint32_t number) {
  return (number - static_cast<std::uint32_t>(Msr::x2apic_first)) << 4;
}

// As Xen offers it, whatever the CPU: CPUID can be made to fault in user mode.
constexpr std::uint64_t can_fault_cpuid = 1ULL << 31;  // of platform_info
constexpr std::uint64_t cpuid_faulting = 1ULL << 0;    // of misc_features_enables

// A domain that is told of no MTRRs finds none.
bool has_mtrrs(const MachineDomain& domain) {
  constexpr std::uint32_t mtrr = 1U << 12;
  const xl::abi::CpuidRecord* const row = domain.find_cpuid(1, 0);
  return row == nullptr || (row->edx & mtrr) != 0;
}

unsigned address_bits() {
  return cpuid(0x80000008).eax & 0x3f;
}

// Kernels read these because of the CPU's family; nothing is behind them here. The deadline is as
// that of a timer in another mode.
std::optional<std::uint64_t> read_harmless(Msr msr) {
  constexpr std::uint64_t lfence_serialises = 1U << 1;
  switch (msr) {
    case Msr::patch_level: return read_msr(Msr::patch_level);
    case Msr::de_cfg: return lfence_serialises;
    case Msr::debug_control:
    case Msr::tsc_deadline:
    case Msr::syscfg:
    case Msr::hwcr:
    case Msr::northbridge_cfg:
    case Msr::interrupt_pending:
    case Msr::vm_cr: return 0;
    default: return std::nullopt;
  }
}

bool may_be_written(Msr msr) {
  switch (msr) {
    case Msr::debug_control:
    case Msr::tsc_deadline:
    case Msr::syscfg:
    case Msr::northbridge_cfg:
    case Msr::vm_cr:
    case Msr::de_cfg: return true;
    default: return false;
  }
}

std::optional<std::uint64_t> read(const MachineVcpu& vcpu, std::uint32_t number) {
  const VcpuState& state = vcpu.arch;
  if (in_x2apic_range(number)) {
    return state.lapic.x2apic() ? state.lapic.read(x2apic_register(number), machine.now_ns())
                                : std::nullopt;
  }
  if (Mtrrs::contains(number)) {
    return has_mtrrs(*vcpu.domain) ? std::optional(state.mtrrs.read(number)) : std::nullopt;
  }
  if (MachineCheck::contains(number)) {
    return state.machine_check.read(number);
  }
  switch (static_cast<Msr>(number)) {
    case Msr::apic_base: return state.lapic.base();
    case Msr::efer: return state.vmcb->efer & guest_efer;
    case Msr::pat: return state.vmcb->g_pat;
    case Msr::hypercall_page: return 0;
    case Msr::platform_info: return can_fault_cpuid;
    case Msr::misc_features_enables: return state.cpuid_faults ? cpuid_faulting : 0;
    default: return read_harmless(static_cast<Msr>(number));
  }
}

bool write_efer(Vmcb& vmcb, std::uint64_t value) {
  const bool flips_long = ((vmcb.efer ^ value) & efer::lme) != 0;
  if ((value & ~guest_efer) != 0 || (flips_long && (vmcb.cr0 & cr0::pg) != 0)) {
    return false;
  }
  vmcb.efer = (value & ~efer::lma) | (vmcb.efer & efer::lma) | efer::svme;
  return true;
}

bool is_valid_pat(std::uint64_t value) {
  for (unsigned i = 0; i < 8; ++i) {
    const std::uint64_t type = (value >> (8 * i)) & 0xff;
    if (type > 7 || type == 2 || type == 3) {
      return false;
    }
  }
  return true;
}

// The stubs that Xen gives: MOV EAX, n; VMMCALL; RET, 32 bytes each. Written by this CPU's own
// stores, so that an emulator sees that code changes.
bool write_hypercall_page(MachineVcpu& vcpu, std::uint64_t value) {
  constexpr unsigned stub_size = 32;
  const Result<PhysmapEntry> entry = hypervisor.touch(vcpu, xl::to_gfn(xl::GuestPhys(value)));
  if ((value & (xl::page_size - 1)) != 0 || !entry || entry->kind != PageKind::ram) {
    return false;
  }
  std::byte* const page = Machine::frame(entry->mfn);
  std::memset(page, 0xcc, xl::page_size);
  for (unsigned number = 0; number < xl::page_size / stub_size; ++number) {
    const std::uint8_t stub[] = {0xb8, static_cast<std::uint8_t>(number), 0, 0, 0, 0x0f, 0x01, 0xd9,
                                 0xc3};
    std::memcpy(page + number * stub_size, stub, sizeof(stub));
  }
  constexpr std::uint8_t undefined[] = {0x0f, 0x0b};  // iret is for PV guests
  std::memcpy(page + __HYPERVISOR_iret * stub_size, undefined, sizeof(undefined));
  return true;
}

bool write(MachineVcpu& vcpu, std::uint32_t number, std::uint64_t value) {
  VcpuState& state = vcpu.arch;
  if (in_x2apic_range(number)) {
    return state.lapic.x2apic() && write_lapic(vcpu, x2apic_register(number), value);
  }
  if (Mtrrs::contains(number)) {
    return has_mtrrs(*vcpu.domain) && state.mtrrs.write(number, value, address_bits());
  }
  if (MachineCheck::contains(number)) {
    return state.machine_check.write(number, value);
  }
  switch (static_cast<Msr>(number)) {
    case Msr::hypercall_page: return write_hypercall_page(vcpu, value);
    case Msr::apic_base: return state.lapic.set_base(value);
    case Msr::efer: return write_efer(*state.vmcb, value);
    case Msr::misc_features_enables:
      if ((value & ~cpuid_faulting) != 0) {
        return false;
      }
      state.cpuid_faults = value != 0;
      return true;
    case Msr::tsc: return true;  // all vcpus share the machine's, as pvclock says
    case Msr::pat:
      if (is_valid_pat(value)) {
        state.vmcb->g_pat = value;
      }
      return is_valid_pat(value);
    default: return may_be_written(static_cast<Msr>(number));
  }
}

}  // namespace

void handle_read_msr(MachineVcpu& vcpu) {
  const auto value = read(vcpu, static_cast<std::uint32_t>(vcpu.arch.registers.rcx));
  if (!value) {
    inject_exception(vcpu, exception_gp, 0);
    return;
  }
  vcpu.arch.vmcb->rax = *value & 0xffffffff;
  vcpu.arch.registers.rdx = *value >> 32;
  advance(vcpu, msr_length);
}

void handle_write_msr(MachineVcpu& vcpu) {
  const GuestRegisters& r = vcpu.arch.registers;
  const std::uint64_t value = (vcpu.arch.vmcb->rax & 0xffffffff) | r.rdx << 32;
  if (write(vcpu, static_cast<std::uint32_t>(r.rcx), value)) {
    advance(vcpu, msr_length);
  } else {
    inject_exception(vcpu, exception_gp, 0);
  }
}

void handle_set_extended_control(MachineVcpu& vcpu) {
  count(vcpu, ExitCause::refused);
  inject_exception(vcpu, exception_ud);
}

}  // namespace hyp::x86
