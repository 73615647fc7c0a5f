// SPDX-License-Identifier: Apache-2.0
// VCPUOP_initialise of an HVM vcpu (public/hvm/hvm_vcpu.h): real mode, protected mode with or
// without paging, or 64-bit mode straight away. What Xen refuses is refused.
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

enum class Register { cs, ss, data, tr };

// What the attributes say, as far as the CPU would refuse to run with them. A data segment may be
// null. The bits are the VMCB's.
bool is_valid(Register which, std::uint16_t attributes) {
  constexpr std::uint16_t known = 0xfff;
  constexpr std::uint16_t user_segment = 0x10;
  constexpr std::uint16_t busy_tss32 = 0xb;
  constexpr std::uint16_t code = 8;
  constexpr std::uint16_t readable_or_writable = 2;
  if ((attributes & ~known) != 0 || (attributes == 0 && which != Register::data)) {
    return false;
  }
  if (attributes == 0) {
    return true;
  }
  if ((attributes & present) == 0) {
    return false;
  }
  if (which == Register::tr) {
    return (attributes & user_segment) == 0 && (attributes & 0xf) == busy_tss32;
  }
  const bool is_code = (attributes & code) != 0;
  const bool second = (attributes & readable_or_writable) != 0;
  return (attributes & user_segment) != 0 && (which != Register::cs || is_code) &&
         (which != Register::ss || (!is_code && second)) &&
         (which != Register::data || !is_code || second);
}

unsigned privilege(std::uint16_t attributes) {
  return (attributes >> 5) & 3;
}

bool is_valid(const vcpu_hvm_x86_32& r) {
  const auto fits = [&](std::uint16_t data) {
    return (data & present) == 0 || privilege(data) <= privilege(r.cs_ar);
  };
  return r.pad1 == 0 && (r.pad2[0] | r.pad2[1] | r.pad2[2]) == 0 &&
         is_valid(Register::cs, r.cs_ar) && is_valid(Register::ss, r.ss_ar) &&
         is_valid(Register::data, r.ds_ar) && is_valid(Register::data, r.es_ar) &&
         is_valid(Register::tr, r.tr_ar) && r.eip <= r.cs_limit &&
         privilege(r.ss_ar) == privilege(r.cs_ar) && fits(r.ds_ar) && fits(r.es_ar) &&
         ((r.efer & efer::lma) == 0 || (r.efer & efer::lme) != 0);
}

bool is_valid(const vcpu_hvm_x86_64& r) {
  constexpr std::uint64_t upper_half = 0xffff800000000000;
  const std::uint64_t sign = r.rip & upper_half;
  constexpr std::uint64_t control = cr0::pg | cr0::pe;
  return (sign == 0 || sign == upper_half) && (r.cr0 & control) == control &&
         (r.cr4 & cr4::pae) != 0 && (r.efer & efer::lme) != 0;
}

}  // namespace

Result<void> Machine::initialise_vcpu(MachineVcpu& vcpu, const vcpu_hvm_context& context) {
  constexpr std::uint16_t ldt = 0x82;
  VcpuContextRecord record{};
  switch (context.mode) {
    case VCPU_HVM_MODE_32B:
      if (!is_valid(context.cpu_regs.x86_32)) {
        return fail(Errno::inval);
      }
      record = from_32bit(context.cpu_regs.x86_32);
      break;
    case VCPU_HVM_MODE_64B:
      if (!is_valid(context.cpu_regs.x86_64)) {
        return fail(Errno::inval);
      }
      record = from_64bit(context.cpu_regs.x86_64);
      break;
    default: return fail(Errno::inval);
  }
  record.ldtr = {0, ldt, 0, 0};
  return set_context(vcpu, record);
}

}  // namespace hyp::x86
