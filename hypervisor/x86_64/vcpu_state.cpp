// SPDX-License-Identifier: Apache-2.0
// Life and registers of the Machine's vcpus.
#include <cstring>

#include "hypervisor/x86_64/machine.hpp"
#include "hypervisor/x86_64/registers.hpp"
#include "hypervisor/x86_64/svm.hpp"

namespace hyp::x86 {
namespace {

constexpr std::uint64_t default_pat = 0x0007040600070406;
constexpr std::uint64_t dr6_reset = 0xffff0ff0;
constexpr std::uint64_t dr7_reset = 0x400;
constexpr std::uint64_t guest_efer = efer::sce | efer::lme | efer::lma | efer::nxe;

// The least that keeps a guest inside. Control registers, page faults, INVLPG and the TSC are the
// guest's own.
void set_controls(Vmcb& vmcb, const MachineDomain& domain) {
  vmcb.intercepts1 = intercept1::intr | intercept1::nmi | intercept1::smi | intercept1::init |
                     intercept1::rdpmc | intercept1::cpuid | intercept1::invd | intercept1::hlt |
                     intercept1::invlpga | intercept1::ioio | intercept1::msr | intercept1::freeze |
                     intercept1::shutdown;
  vmcb.intercepts2 = intercept2::vmrun | intercept2::vmmcall | intercept2::vmload |
                     intercept2::vmsave | intercept2::stgi | intercept2::clgi | intercept2::skinit |
                     intercept2::wbinvd | intercept2::monitor | intercept2::mwait |
                     intercept2::mwait_armed | intercept2::xsetbv | intercept2::rdpru;
  vmcb.iopm_base = io_permission_map();
  vmcb.msrpm_base = msr_permission_map();
  vmcb.asid = 1;
  vmcb.interrupt_control = interrupt_control::Masking::mask;
  vmcb.nested_control = 1;
  vmcb.nested_cr3 = xl::to_phys(domain.physmap.root()).value();
  vmcb.g_pat = default_pat;
}

// Real mode at `base`, as after INIT (APM volume 2, table 14-1), but with caches, as in Xen.
void set_real_mode(Vmcb& vmcb, std::uint16_t selector, std::uint64_t base, std::uint64_t rip) {
  constexpr std::uint16_t code = 0x9b;
  constexpr std::uint16_t data = 0x93;
  constexpr std::uint16_t ldt = 0x82;
  constexpr std::uint16_t tss = 0x8b;
  vmcb.cs = {selector, code, 0xffff, base};
  vmcb.ds = vmcb.es = vmcb.fs = vmcb.gs = vmcb.ss = {0, data, 0xffff, 0};
  vmcb.gdtr = vmcb.idtr = {0, 0, 0xffff, 0};
  vmcb.ldtr = {0, ldt, 0xffff, 0};
  vmcb.tr = {0, tss, 0xffff, 0};
  vmcb.cr0 = cr0::et;
  vmcb.cr2 = vmcb.cr3 = vmcb.cr4 = 0;
  vmcb.efer = efer::svme;
  vmcb.dr6 = dr6_reset;
  vmcb.dr7 = dr7_reset;
  vmcb.rflags = rflags::fixed;
  vmcb.rip = rip;
  vmcb.rax = vmcb.rsp = 0;
  vmcb.cpl = 0;
  vmcb.interrupt_shadow = 0;
}

void reset_fpu(std::byte* fpu) {
  constexpr std::uint16_t control_word = 0x37f;
  constexpr std::uint32_t mxcsr = 0x1f80;
  constexpr std::size_t mxcsr_offset = 24;
  std::memset(fpu, 0, xl::page_size);
  std::memcpy(fpu, &control_word, sizeof(control_word));
  std::memcpy(fpu + mxcsr_offset, &mxcsr, sizeof(mxcsr));
}

// APIC ids step by two, as the MADT of libxl and Xen's CPUID say.
std::uint32_t apic_id_of(VcpuId id) {
  return id.value() * 2;
}

void forget_events(VcpuState& state) {
  state.pending_event = 0;
  state.nmi_blocked = false;
  state.nmi_pending.store(false);
  state.offered = Offered::nothing;
}

xl::abi::SegmentRecord to_record(const VmcbSegment& segment) {
  return {segment.selector, segment.attributes, segment.limit, segment.base};
}

VmcbSegment from_record(const xl::abi::SegmentRecord& record) {
  return {record.selector, record.attributes, record.limit, record.base};
}

bool is_valid(const xl::abi::VcpuContextRecord& record) {
  const bool long_mode = (record.efer & efer::lma) != 0;
  const bool wants_long = (record.efer & efer::lme) != 0 && (record.cr0 & cr0::pg) != 0;
  const bool paging = (record.cr0 & cr0::pg) != 0;
  return (record.efer & ~guest_efer) == 0 && (record.cr0 >> 32) == 0 && (record.cr4 >> 32) == 0 &&
         long_mode == wants_long && (!paging || (record.cr0 & cr0::pe) != 0) &&
         (!long_mode || (record.cr4 & cr4::pae) != 0) && (record.dr6 >> 32) == 0 &&
         (record.dr7 >> 32) == 0;
}

}  // namespace

Result<void> Machine::init_domain(MachineDomain& domain) {
  domain.arch.tlb_tag.store(next_tlb_tag_.fetch_add(1));
  return {};
}

void Machine::destroy_domain(MachineDomain&) {}

Result<void> Machine::init_vcpu(MachineVcpu& vcpu) {
  XL_TRY_ASSIGN(const Mfn vmcb, hypervisor.alloc_page(vcpu.domain));
  const Result<Mfn> fpu = hypervisor.alloc_page(vcpu.domain);
  if (!fpu) {
    hypervisor.free_pages(vcpu.domain, vmcb, 0);
    return xl::Unexpected(fpu.error());
  }
  VcpuState& state = vcpu.arch;
  // SAFETY: a zeroed frame of its own; every bit pattern is a value of Vmcb.
  state.vmcb = reinterpret_cast<Vmcb*>(frame(vmcb));
  state.fpu = frame(*fpu);
  reset_fpu(state.fpu);
  forget_events(state);
  set_controls(*state.vmcb, *vcpu.domain);
  set_real_mode(*state.vmcb, 0xf000, 0xffff0000, 0xfff0);
  state.lapic.reset(apic_id_of(vcpu.id), vcpu.id.value() == 0);
  return {};
}

void Machine::destroy_vcpu(MachineVcpu& vcpu) {
  const auto free = [&](const void* page) {
    if (page != nullptr) {
      hypervisor.free_pages(vcpu.domain, frame_of(page), 0);
    }
  };
  free(vcpu.arch.vmcb);
  free(vcpu.arch.fpu);
  vcpu.arch.vmcb = nullptr;
  vcpu.arch.fpu = nullptr;
}

void Machine::start_at_page(MachineVcpu& vcpu, std::uint8_t page) {
  VcpuState& state = vcpu.arch;
  state.registers = {};
  forget_events(state);
  reset_fpu(state.fpu);
  state.lapic.reset_registers();
  set_real_mode(*state.vmcb, static_cast<std::uint16_t>(page << 8),
                static_cast<std::uint64_t>(page) << 12, 0);
}

void Machine::get_context(const MachineVcpu& vcpu, xl::abi::VcpuContextRecord& record) const {
  const Vmcb& vmcb = *vcpu.arch.vmcb;
  const GuestRegisters& r = vcpu.arch.registers;
  record = {vmcb.rax,
            r.rbx,
            r.rcx,
            r.rdx,
            r.rsi,
            r.rdi,
            r.rbp,
            vmcb.rsp,
            r.r8,
            r.r9,
            r.r10,
            r.r11,
            r.r12,
            r.r13,
            r.r14,
            r.r15,
            vmcb.rip,
            vmcb.rflags,
            vmcb.cr0,
            vmcb.cr2,
            vmcb.cr3,
            vmcb.cr4,
            vmcb.efer & guest_efer,
            vmcb.dr6,
            vmcb.dr7,
            to_record(vmcb.cs),
            to_record(vmcb.ds),
            to_record(vmcb.es),
            to_record(vmcb.fs),
            to_record(vmcb.gs),
            to_record(vmcb.ss),
            to_record(vmcb.tr),
            to_record(vmcb.ldtr),
            to_record(vmcb.gdtr),
            to_record(vmcb.idtr)};
}

Result<void> Machine::set_context(MachineVcpu& vcpu, const xl::abi::VcpuContextRecord& record) {
  if (!is_valid(record)) {
    return fail(Errno::inval);
  }
  Vmcb& vmcb = *vcpu.arch.vmcb;
  vcpu.arch.registers = {record.rcx, record.rdx, record.rbx, record.rbp, record.rsi,
                         record.rdi, record.r8,  record.r9,  record.r10, record.r11,
                         record.r12, record.r13, record.r14, record.r15};
  forget_events(vcpu.arch);
  vmcb.rax = record.rax;
  vmcb.rsp = record.rsp;
  vmcb.rip = record.rip;
  vmcb.rflags = record.rflags | rflags::fixed;
  vmcb.cr0 = record.cr0 | cr0::et;
  vmcb.cr2 = record.cr2;
  vmcb.cr3 = record.cr3;
  vmcb.cr4 = record.cr4;
  vmcb.efer = record.efer | efer::svme;
  vmcb.dr6 = record.dr6 != 0 ? record.dr6 : dr6_reset;
  vmcb.dr7 = record.dr7 | dr7_reset;
  vmcb.cs = from_record(record.cs);
  vmcb.ds = from_record(record.ds);
  vmcb.es = from_record(record.es);
  vmcb.fs = from_record(record.fs);
  vmcb.gs = from_record(record.gs);
  vmcb.ss = from_record(record.ss);
  vmcb.tr = from_record(record.tr);
  vmcb.ldtr = from_record(record.ldtr);
  vmcb.gdtr = from_record(record.gdtr);
  vmcb.idtr = from_record(record.idtr);
  vmcb.cpl = static_cast<std::uint8_t>((record.ss.attributes >> 5) & 3);
  vmcb.interrupt_shadow = 0;
  return {};
}

}  // namespace hyp::x86
