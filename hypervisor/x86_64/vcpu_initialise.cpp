// SPDX-License-Identifier: Apache-2.0
// VCPUOP_initialise of an HVM vcpu (public/hvm/hvm_vcpu.h): flat 32-bit or flat 64-bit state
// straight away.
#include "hypervisor/x86_64/machine.hpp"
#include "hypervisor/x86_64/registers.hpp"

namespace hyp::x86 {
namespace {

using xl::abi::SegmentRecord;
using xl::abi::VcpuContextRecord;

constexpr std::uint16_t accessed = 1;
constexpr std::uint16_t present = 0x80;

SegmentRecord segment(std::uint16_t attributes, std::uint32_t base, std::uint32_t limit) {
  const bool usable = (attributes & present) != 0;
  return {0, static_cast<std::uint16_t>(usable ? attributes | accessed : attributes), limit, base};
}

VcpuContextRecord from_32bit(const vcpu_hvm_x86_32& r) {
  VcpuContextRecord record{};
  record.rax = r.eax;
  record.rbx = r.ebx;
  record.rcx = r.ecx;
  record.rdx = r.edx;
  record.rsi = r.esi;
  record.rdi = r.edi;
  record.rbp = r.ebp;
  record.rsp = r.esp;
  record.rip = r.eip;
  record.rflags = r.eflags;
  record.cr0 = r.cr0;
  record.cr3 = r.cr3;
  record.cr4 = r.cr4;
  record.efer = r.efer;
  if ((r.efer & efer::lme) != 0 && (r.cr0 & cr0::pg) != 0) {
    record.efer |= efer::lma;
  }
  record.cs = segment(r.cs_ar, r.cs_base, r.cs_limit);
  record.ds = record.fs = record.gs = segment(r.ds_ar, r.ds_base, r.ds_limit);
  record.ss = segment(r.ss_ar, r.ss_base, r.ss_limit);
  record.es = segment(r.es_ar, r.es_base, r.es_limit);
  record.tr = segment(r.tr_ar, r.tr_base, r.tr_limit);
  return record;
}

VcpuContextRecord from_64bit(const vcpu_hvm_x86_64& r) {
  constexpr std::uint16_t code64 = 0xa9b;
  constexpr std::uint16_t data = 0xc93;
  constexpr std::uint16_t tss64 = 0x8b;
  constexpr std::uint32_t all = 0xffffffff;
  VcpuContextRecord record{};
  record.rax = r.rax;
  record.rbx = r.rbx;
  record.rcx = r.rcx;
  record.rdx = r.rdx;
  record.rsi = r.rsi;
  record.rdi = r.rdi;
  record.rbp = r.rbp;
  record.rsp = r.rsp;
  record.rip = r.rip;
  record.rflags = r.rflags;
  record.cr0 = r.cr0;
  record.cr3 = r.cr3;
  record.cr4 = r.cr4;
  record.efer = r.efer | efer::lma;
  record.cs = {0, code64, all, 0};
  record.ds = record.es = record.ss = record.fs = record.gs = {0, data, all, 0};
  record.tr = {0, tss64, 0x67, 0};
  return record;
}

}  // namespace

Result<void> Machine::initialise_vcpu(MachineVcpu& vcpu, const vcpu_hvm_context& context) {
  constexpr std::uint16_t ldt = 0x82;
  VcpuContextRecord record{};
  switch (context.mode) {
    case VCPU_HVM_MODE_32B: record = from_32bit(context.cpu_regs.x86_32); break;
    case VCPU_HVM_MODE_64B: record = from_64bit(context.cpu_regs.x86_64); break;
    default: return fail(Errno::inval);
  }
  record.ldtr = {0, ldt, 0, 0};
  return set_context(vcpu, record);
}

}  // namespace hyp::x86
