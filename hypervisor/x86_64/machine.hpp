// SPDX-License-Identifier: Apache-2.0
// Machine: the core's Platform (core/platform.hpp) on x86-64 with SVM and nested paging.
//
// Lock rule: nothing here takes a lock, except that kicks and flushes wait for other CPUs to leave
// guest mode, which they do without taking one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "hypervisor/core/hypervisor.hpp"
#include "hypervisor/x86_64/clock.hpp"
#include "hypervisor/x86_64/exit_cause.hpp"
#include "hypervisor/x86_64/guest_registers.hpp"
#include "hypervisor/x86_64/machine_check.hpp"
#include "hypervisor/x86_64/mtrr.hpp"
#include "hypervisor/x86_64/npt.hpp"
#include "hypervisor/x86_64/virtual_lapic.hpp"
#include "hypervisor/x86_64/vmcb.hpp"

namespace hyp::x86 {

// Where an interrupt that waits in the VMCB (V_IRQ) came from.
enum class Offered : std::uint8_t { nothing, upcall, lapic };

struct VcpuState {
  Vmcb* vmcb = nullptr;      // one frame
  std::byte* fpu = nullptr;  // one frame, FXSAVE image while the vcpu is not resident
  GuestRegisters registers{};
  VirtualLapic lapic;
  Mtrrs mtrrs;
  MachineCheck machine_check;
  std::uint64_t pending_event = 0;   // EVENTINJ form: what the next entry delivers first
  std::uint64_t debug_address[4]{};  // DR0..DR3 while not resident
  std::atomic<bool> nmi_pending{false};
  bool nmi_blocked = false;   // until IRET
  bool cpuid_faults = false;  // CPUID is #GP in user mode: MSR_INTEL_MISC_FEATURES_ENABLES
  Offered offered = Offered::nothing;
  std::uint8_t offered_vector = 0;
};

struct DomainState {
  // Names the current content of the domain's nested page table; unique over all domains and
  // changed by each flush. A CPU that enters with another one than it used last flushes its TLB
  // first.
  std::atomic<std::uint64_t> tlb_tag{0};
};

class Machine {
 public:
  using PhysmapFormat = NestedEntry;
  using VcpuArch = VcpuState;
  using DomainArch = DomainState;
  using MachineDomain = Domain<Machine>;
  using MachineVcpu = Vcpu<Machine>;

  static constexpr unsigned exit_causes = static_cast<unsigned>(ExitCause::count);
  static constexpr const char* exit_name(unsigned cause) {
    return name_of(static_cast<ExitCause>(cause));
  }

  // Once, before anything else: the clock starts at 0 here.
  void start_clock(std::uint64_t tsc_khz);
  std::uint64_t tsc_khz() const { return tsc_khz_; }

  std::uint64_t now_ns() const;
  ClockSample clock_sample() const;
  ClockScale clock_scale() const { return {scale_.multiplier, scale_.shift}; }
  std::uint64_t wall_clock_ns() const;

  static unsigned cpu_id();
  static void relax();
  void kick_cpu(unsigned cpu);
  // This CPU gives the vcpu up: afterwards all of its state is in memory.
  void switch_out(MachineVcpu& vcpu);
  void flush_physmap(MachineDomain& domain);

  static std::byte* frame(Mfn mfn) {
    // SAFETY: all RAM is identity-mapped; the core names only frames of RAM.
    return reinterpret_cast<std::byte*>(mfn.value() << xl::page_shift);
  }
  static Mfn frame_of(const void* pointer) {
    // SAFETY: the inverse of frame(), as a number.
    return Mfn(reinterpret_cast<std::uint64_t>(pointer) >> xl::page_shift);
  }
  static std::byte* host_area();
  void ring_host();

  bool read_guest(MachineVcpu& vcpu, void* to, std::uint64_t linear, std::size_t bytes);
  bool write_guest(MachineVcpu& vcpu, std::uint64_t linear, const void* from, std::size_t bytes);

  bool interrupt_pending(const MachineVcpu& vcpu) const {
    return vcpu.arch.lapic.pending_hint().has_value() || vcpu.arch.nmi_pending.load();
  }
  void assert_vector(MachineVcpu& vcpu, std::uint8_t vector) { vcpu.arch.lapic.request(vector); }
  void raise_nmi(MachineVcpu& vcpu) { vcpu.arch.nmi_pending.store(true); }
  // The core's timer for the LAPIC is due; the core wakes the vcpu afterwards.
  void lapic_timer_fired(MachineVcpu& vcpu);

  Result<void> init_domain(MachineDomain& domain);
  void destroy_domain(MachineDomain& domain);
  Result<void> init_vcpu(MachineVcpu& vcpu);
  void destroy_vcpu(MachineVcpu& vcpu);

  void get_context(const MachineVcpu& vcpu, xl::abi::VcpuContextRecord& record) const;
  Result<void> set_context(MachineVcpu& vcpu, const xl::abi::VcpuContextRecord& record);
  Result<void> initialise_vcpu(MachineVcpu& vcpu, const vcpu_hvm_context& context);
  // The state after INIT and a start-up IPI for this page.
  void start_at_page(MachineVcpu& vcpu, std::uint8_t page);

 private:
  TscScale scale_{};
  std::uint64_t tsc_base_ = 0;
  std::uint64_t tsc_khz_ = 0;
  std::atomic<std::uint64_t> next_tlb_tag_{1};
  std::atomic<bool> doorbell_lock_{false};
};

using MachineVcpu = Machine::MachineVcpu;
using MachineDomain = Machine::MachineDomain;

// The machine and what runs on it. Constant-initialised.
extern Machine machine;
extern Hypervisor<Machine> hypervisor;

}  // namespace hyp::x86
