// SPDX-License-Identifier: Apache-2.0
// Hypervisor<P>: all domains, the frames, the scheduler and the host's request ring. One constinit
// object per machine.
//
// A physical CPU's main loop, with interrupts off except around HLT:
//
//   for (;;) {
//     hv.serve_host(cpu);                        // bounded; cheap when there is nothing
//     auto next = hv.schedule(cpu);              // runs due timers, switches; cheap when nothing
//     changed program the timer interrupt for next.deadline; if (next.vcpu == nullptr) {
//       if (!hv.idle_work(cpu) && hv.prepare_sleep(cpu)) { sti; hlt; cli; }
//       hv.wake_up(cpu); continue;
//     }
//     enter the guest; handle the exit (hypercall(), block(), crash() ...);
//   }
//
// An exit handler that blocks, crashes or restarts simply returns to this loop. Upcalls: before
// each entry ask upcall_vector(): while it has one, inject that vector as soon as RFLAGS.IF is 1
// and no shadow blocks (else open the interrupt window); it stays until the guest clears
// evtchn_upcall_pending. Per-vcpu vectors come as P::assert_vector instead.
//
// Lock order (outer first): host > memory_lock of a domain (two domains: lower address first) >
// frames > event > scheduler > timers of a CPU > log. Frames, event, scheduler, timers and log are
// only held for short, bounded steps.
#pragma once

#include <optional>

#include "hypervisor/core/domain.hpp"
#include "hypervisor/core/domain_table.hpp"
#include "hypervisor/core/frames.hpp"
#include "hypervisor/core/hypercall_frame.hpp"
#include "hypervisor/core/log.hpp"
#include "hypervisor/core/scheduler.hpp"

namespace hyp {

template <typename P>
class Hypervisor {
 public:
  using VcpuRef = Vcpu<P>&;

  constexpr explicit Hypervisor(P& platform) : platform_(platform) {}

  // --- start. Once, on the boot CPU, before any other CPU calls in. Header.state becomes `ready`
  // with announce().
  Result<void> init(const InitInfo& info);
  void announce();

  // --- main loop
  void serve_host(unsigned cpu);
  Next<Vcpu<P>> schedule(unsigned cpu);
  // Scrubs a bounded piece (about 2 MiB) of freed memory. True: there is more.
  bool idle_work(unsigned cpu);
  // False: something is to be done, do not HLT.
  bool prepare_sleep(unsigned cpu);
  void wake_up(unsigned cpu);

  // --- exits of the vcpu that runs on this CPU
  void hypercall(Vcpu<P>& vcpu, HypercallFrame& frame);
  void block(Vcpu<P>& vcpu);      // HLT with IF=1: until has_event()
  void yield(Vcpu<P>& vcpu);      // PAUSE loops
  void vcpu_down(Vcpu<P>& vcpu);  // HLT with IF=0, or INIT: offline until vcpu_up
  std::optional<std::uint8_t> upcall_vector(const Vcpu<P>& vcpu) const;
  bool has_event(const Vcpu<P>& vcpu) const;  // upcall_vector or LAPIC interrupt
  // Ends the domain with SHUTDOWN_crash and a report in the log. `vcpu` may be any vcpu of it.
  void crash(Vcpu<P>& vcpu, const CrashReport& report);
  // SHUTDOWN_*: e.g. ACPI power off or reset through the platform's ports.
  void shutdown(Domain<P>& domain, std::uint32_t reason);

  // --- any CPU, any vcpu
  void vcpu_up(Vcpu<P>& vcpu);  // SIPI: the platform has set its registers
  void wake(Vcpu<P>& vcpu);  // something to deliver: unblocks it, or makes its CPU look (after P's
                             // own IRR change)

  // --- hypervisor frames, zeroed. `domain` pays (null: the hypervisor). For P::init_domain,
  // init_vcpu and the physmap.
  Result<Mfn> alloc_page(Domain<P>* domain) { return alloc_pages(domain, 0); }
  Result<Mfn> alloc_pages(Domain<P>* domain, unsigned order);  // aligned to its size; order <= 6
  void free_pages(Domain<P>* domain, Mfn mfn, unsigned order);

  // --- ACPI, LAPIC: the platform's log lines. Guest-caused lines are rate limited.
  Log<P>& log() { return log_; }
  P& platform() { return platform_; }
};

}  // namespace hyp
