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
// evtchn_upcall_pending. Per-vcpu vectors come as P::assert_vector.
//
// Lock order (outer first): host > memory_lock of a domain (two domains: lower address first) >
// frames > event > scheduler > timers of a CPU > log. Frames, event, scheduler, timers and log are
// only held for short, bounded steps.
#pragma once

#include <optional>

#include "hypervisor/core/host_server.hpp"
#include "hypervisor/core/hypercall_frame.hpp"
#include "hypervisor/core/hypercalls.hpp"
#include "hypervisor/core/parts.hpp"

namespace hyp {

template <typename P>
class Hypervisor {
 public:
  constexpr explicit Hypervisor(P& platform) : parts_(platform), host_(parts_) {}

  // --- start. Once, on the boot CPU, before any other CPU calls in. Header.state becomes `ready`
  // with announce().
  Result<void> init(const InitInfo& info);
  void announce();

  // --- main loop
  void serve_host(unsigned cpu);
  Next<Vcpu<P>> schedule(unsigned cpu);
  // Scrubs a bounded piece of freed memory, or frees a piece of a dead domain. True: look again, do
  // not sleep.
  bool idle_work(unsigned cpu);
  // False: something is to be done, do not HLT.
  bool prepare_sleep(unsigned cpu);
  void wake_up(unsigned cpu);

  // --- exits of the vcpu that runs on this CPU
  // What is at gfn, after it got its frame if it waited for the first touch (takes memory_lock). No
  // answer: it cannot get one now.
  Result<PhysmapEntry> touch(Vcpu<P>& vcpu, Gfn gfn) {
    return parts_.memory.touch(*vcpu.domain, gfn);
  }
  // The same for the guest's own access: a domain that may have no more memory crashes. The guest
  // repeats the access in any case.
  void fault(Vcpu<P>& vcpu, Gfn gfn);
  void hypercall(Vcpu<P>& vcpu, HypercallFrame& frame);
  void block(Vcpu<P>& vcpu) { sched_op::block(parts_, vcpu); }  // HLT with IF=1: until has_event()
  void yield(Vcpu<P>& vcpu) { parts_.core.scheduler.yield(vcpu); }
  void vcpu_down(Vcpu<P>& vcpu) { parts_.lifecycle.guest_vcpu_down(vcpu); }  // HLT, IF=0; INIT
  // The domain's vector; it comes beside a vector of the vcpu's own, if there are both.
  std::optional<std::uint8_t> upcall_vector(const Vcpu<P>& vcpu) const;
  // The LAPIC begins to take interrupts: an upcall that it missed comes now, as in Xen.
  void repeat_upcall(Vcpu<P>& vcpu);
  bool has_event(const Vcpu<P>& vcpu) { return sched_op::has_event(parts_, vcpu); }
  // The vcpu was at CPL 3 when it was left. The host is told of the domain's first time.
  void saw_user_mode(Vcpu<P>& vcpu) { parts_.lifecycle.saw_user_mode(*vcpu.domain); }
  // Ends the domain with SHUTDOWN_crash and a report in the log. `vcpu` is the one at fault, and
  // does not run elsewhere.
  void crash(Vcpu<P>& vcpu, const CrashReport& report);
  // SHUTDOWN_*: e.g. power off or reset through the platform's ports.
  void shutdown(Domain<P>& domain, std::uint32_t reason) {
    parts_.lifecycle.shutdown(domain, reason);
  }
  // The LAPIC's timer, by the CPU that runs the vcpu (or from P::lapic_timer_fired); `deadline` in
  // system time.
  void arm_lapic_timer(Vcpu<P>& vcpu, std::uint64_t deadline) {
    parts_.core.timers.arm(vcpu.lapic, deadline);
  }
  void disarm_lapic_timer(Vcpu<P>& vcpu) { parts_.core.timers.cancel(vcpu.lapic); }

  // --- any CPU, any vcpu
  // SIPI: the platform has set its registers.
  void vcpu_up(Vcpu<P>& vcpu) {
    vcpu.initialised.store(true);
    parts_.lifecycle.guest_vcpu_up(vcpu);
  }
  // Something to deliver (after P's own IRR change): unblocks the vcpu, or makes its CPU look.
  void wake(Vcpu<P>& vcpu) { parts_.core.wake(vcpu); }

  // --- hypervisor frames, zeroed. `domain` pays (null: the hypervisor). For P::init_domain and
  // init_vcpu.
  Result<Mfn> alloc_page(Domain<P>* domain) { return parts_.core.alloc_pages(domain, 0); }
  // 2^order frames, aligned to their size; order <= 6.
  Result<Mfn> alloc_pages(Domain<P>* domain, unsigned order) {
    return parts_.core.alloc_pages(domain, order);
  }
  void free_pages(Domain<P>* domain, Mfn mfn, unsigned order) {
    parts_.core.free_pages(domain, mfn, order);
  }

  Log<P>& log() { return parts_.core.log; }
  P& platform() { return parts_.core.platform; }
  Parts<P>& parts() { return parts_; }  // for tests

 private:
  void fire(Timer<P>& timer);
  void write_areas(Vcpu<P>& vcpu);
  void publish_releasable(bool scrubbed_all);

  Parts<P> parts_;
  HostServer<P> host_;
  std::atomic<bool> release_told_{false};
};

}  // namespace hyp

#include "hypervisor/core/hypervisor_impl.hpp"
