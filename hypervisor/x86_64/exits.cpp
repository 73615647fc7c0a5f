// SPDX-License-Identifier: Apache-2.0
// Dispatch of #VMEXIT, and the exits of few lines.
#include "hypervisor/x86_64/exits.hpp"

#include "hypervisor/x86_64/instructions.hpp"

namespace hyp::x86 {
namespace {

constexpr std::uint64_t hlt_length = 1;
constexpr std::uint64_t wbinvd_length = 2;
constexpr std::uint16_t attribute_long = 1U << 9;

bool has_online_vcpu(const MachineDomain& domain) {
  for (unsigned i = 0; i < domain.vcpu_count; ++i) {
    if (domain.vcpus[i] != nullptr && domain.vcpus[i]->online.load()) {
      return true;
    }
  }
  return false;
}

// HLT with interrupts off is the vcpu's end, and the last one's is the domain's: on PVH, without
// ACPI's S5, that is how operating systems power off.
void handle_hlt(MachineVcpu& vcpu) {
  advance(vcpu, hlt_length);
  if ((vcpu.arch.vmcb->rflags & rflags::interrupt) != 0) {
    hypervisor.block(vcpu);
    return;
  }
  hypervisor.vcpu_down(vcpu);
  if (!has_online_vcpu(*vcpu.domain)) {
    hypervisor.shutdown(*vcpu.domain, SHUTDOWN_poweroff);
  }
}

bool stands_at_hlt(MachineVcpu& vcpu) {
  constexpr std::uint8_t hlt = 0xf4;
  const Vmcb& vmcb = *vcpu.arch.vmcb;
  std::uint8_t byte = 0;
  return vmcb.cpl == 0 && machine.read_guest(vcpu, &byte, code_address(vmcb), 1) && byte == hlt;
}

// The guest was left between STI and HLT. QEMU's TCG lets a hardware interrupt do that, and its
// VMRUN forgets the shadow: the guest would take its interrupt first, and then wait for another
// with HLT. So the HLT is carried out here.
void finish_interrupt_shadow(MachineVcpu& vcpu) {
  if (vcpu.arch.vmcb->interrupt_shadow != 0 && vcpu.arch.pending_event == 0 &&
      stands_at_hlt(vcpu)) {
    handle_hlt(vcpu);
  }
}

void handle_iret(MachineVcpu& vcpu) {
  vcpu.arch.vmcb->intercepts1 &= ~intercept1::iret;
  vcpu.arch.nmi_blocked = false;
}

void handle_msr(MachineVcpu& vcpu) {
  if (vcpu.arch.vmcb->exit_info1 == 1) {
    count(vcpu, ExitCause::wrmsr);
    handle_write_msr(vcpu);
  } else {
    count(vcpu, ExitCause::rdmsr);
    handle_read_msr(vcpu);
  }
}

void refuse(MachineVcpu& vcpu) {
  count(vcpu, ExitCause::refused);
  inject_exception(vcpu, exception_ud);
}

CrashReport report_of(const MachineVcpu& vcpu, const char* cause) {
  const Vmcb& vmcb = *vcpu.arch.vmcb;
  return {cause, vmcb.exit_code, vmcb.exit_info1, vmcb.exit_info2};
}

void fatal(MachineVcpu& vcpu, const char* cause) {
  count(vcpu, ExitCause::fatal);
  crash(vcpu, cause);
}

void triple_fault(MachineVcpu& vcpu) {
  count(vcpu, ExitCause::fatal);
  CrashReport report = report_of(vcpu, "triple fault");
  report.reboots = true;
  hypervisor.crash(vcpu, report);
}

}  // namespace

void advance(MachineVcpu& vcpu, std::uint64_t length) {
  Vmcb& vmcb = *vcpu.arch.vmcb;
  vmcb.rip += length;
  if (!in_64bit_code(vmcb)) {
    vmcb.rip &= 0xffffffff;
  }
  vmcb.interrupt_shadow = 0;
}

bool in_64bit_code(const Vmcb& vmcb) {
  return (vmcb.efer & efer::lma) != 0 && (vmcb.cs.attributes & attribute_long) != 0;
}

std::uint64_t code_address(const Vmcb& vmcb) {
  return in_64bit_code(vmcb) ? vmcb.rip : vmcb.cs.base + vmcb.rip;
}

std::uint64_t& guest_register(MachineVcpu& vcpu, unsigned encoding) {
  GuestRegisters& r = vcpu.arch.registers;
  Vmcb& vmcb = *vcpu.arch.vmcb;
  switch (encoding & 15) {
    case 0: return vmcb.rax;
    case 1: return r.rcx;
    case 2: return r.rdx;
    case 3: return r.rbx;
    case 4: return vmcb.rsp;
    case 5: return r.rbp;
    case 6: return r.rsi;
    case 7: return r.rdi;
    case 8: return r.r8;
    case 9: return r.r9;
    case 10: return r.r10;
    case 11: return r.r11;
    case 12: return r.r12;
    case 13: return r.r13;
    case 14: return r.r14;
    default: return r.r15;
  }
}

void crash(MachineVcpu& vcpu, const char* cause) {
  hypervisor.crash(vcpu, report_of(vcpu, cause));
}

void handle_exit(MachineVcpu& vcpu) {
  switch (static_cast<ExitCode>(vcpu.arch.vmcb->exit_code)) {
    case ExitCode::intr:
    case ExitCode::nmi:
    case ExitCode::smi:
    case ExitCode::init:
      count(vcpu, ExitCause::interrupt);
      take_pending_interrupts();
      finish_interrupt_shadow(vcpu);
      return;
    case ExitCode::hlt:
      count(vcpu, ExitCause::hlt);
      handle_hlt(vcpu);
      return;
    case ExitCode::vmmcall:
      count(vcpu, ExitCause::vmmcall);
      handle_hypercall(vcpu);
      return;
    case ExitCode::cpuid:
      count(vcpu, ExitCause::cpuid);
      handle_cpuid(vcpu);
      return;
    case ExitCode::msr: handle_msr(vcpu); return;
    case ExitCode::npf: handle_nested_page_fault(vcpu); return;
    case ExitCode::ioio:
      count(vcpu, ExitCause::io);
      handle_io(vcpu);
      return;
    case ExitCode::wbinvd:
    case ExitCode::invd:
      count(vcpu, ExitCause::wbinvd);  // guests have no device that could tell
      advance(vcpu, wbinvd_length);
      return;
    case ExitCode::iret:
      count(vcpu, ExitCause::iret);
      handle_iret(vcpu);
      return;
    case ExitCode::xsetbv: handle_set_extended_control(vcpu); return;
    case ExitCode::shutdown: triple_fault(vcpu); return;
    case ExitCode::invalid: fatal(vcpu, "invalid machine state"); return;
    case ExitCode::freeze:
    case ExitCode::rdpmc:
      count(vcpu, ExitCause::refused);
      inject_exception(vcpu, exception_gp, 0);
      return;
    case ExitCode::vmrun:
    case ExitCode::vmload:
    case ExitCode::vmsave:
    case ExitCode::stgi:
    case ExitCode::clgi:
    case ExitCode::skinit:
    case ExitCode::invlpga:
    case ExitCode::monitor:
    case ExitCode::mwait:
    case ExitCode::mwait_armed:
    case ExitCode::rdpru: refuse(vcpu); return;
  }
  fatal(vcpu, "unhandled exit");
}

}  // namespace hyp::x86
