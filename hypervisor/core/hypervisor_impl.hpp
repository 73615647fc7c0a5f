// SPDX-License-Identifier: Apache-2.0
// Definitions of Hypervisor<P>.
#pragma once

#include "hypervisor/core/hypervisor.hpp"

namespace hyp {

// --- start ---

template <typename P>
Result<void> Hypervisor<P>::init(const InitInfo& info) {
  Core<P>& core = parts_.core;
  if (info.cpus == 0 || info.cpus > max_cpus) {
    return fail(Errno::inval);
  }
  XL_TRY(core.frames.init(info));
  XL_TRY(core.init_tables());
  core.cpus = info.cpus;
  core.tsc_khz = info.tsc_khz;
  const MemoryRange& last = info.ranges[info.range_count - 1];
  core.last_frame = ((last.start + last.size) >> xl::page_shift) - 1;
  core.scheduler.init(info.cpus);
  const auto counts = core.frames.counts();
  xl::abi::Header& header = core.header();
  header.magic = xl::abi::magic;
  header.version = xl::abi::version;
  header.tsc_khz = info.tsc_khz;
  header.total_pages = counts.total + counts.metadata + info.hypervisor_pages;
  header.hypervisor_pages = info.hypervisor_pages;
  header.cpus = info.cpus;
  shared_word::store<std::uint32_t>(&header.hypervisor_sleeping, 1);
  core.log.write(Level::info, "memory: ", counts.total / 256, " MiB for domains, ", counts.metadata,
                 " frames of metadata; ", info.cpus, " cpus");
  return {};
}

template <typename P>
void Hypervisor<P>::announce() {
  shared_word::store<std::uint32_t>(&parts_.core.header().state,
                                    static_cast<std::uint32_t>(xl::abi::State::ready));
  parts_.core.ring_host(xl::abi::sleeping_for_events | xl::abi::sleeping_for_responses);
}

// --- main loop ---

template <typename P>
void Hypervisor<P>::serve_host(unsigned cpu) {
  host_.serve(cpu);
  parts_.reaper.step([this](Domain<P>& domain) { return parts_.lifecycle.tear_down(domain); });
}

template <typename P>
void Hypervisor<P>::fire(Timer<P>& timer) {
  Vcpu<P>& vcpu = *timer.vcpu;
  switch (timer.kind) {
    case TimerKind::singleshot: parts_.events.raise_virq(vcpu, VIRQ_TIMER); break;
    case TimerKind::periodic: {
      const std::uint64_t period = vcpu.period_ns.load();
      if (period != 0) {
        const std::uint64_t now = parts_.core.platform.now_ns();
        const std::uint64_t due = timer.key + period;
        parts_.core.timers.arm(timer, due > now ? due : now + period);
        parts_.events.raise_virq(vcpu, VIRQ_TIMER);
      }
      break;
    }
    case TimerKind::poll:
      if (sched_op::end_poll(vcpu)) {
        parts_.core.wake(vcpu);
      }
      break;
    case TimerKind::lapic:
      parts_.core.platform.lapic_timer_fired(vcpu);
      parts_.core.wake(vcpu);
      break;
    case TimerKind::watchdog:
      parts_.core.log.write(Level::warning, vcpu.domain->id, " watchdog fired");
      parts_.lifecycle.shutdown(*vcpu.domain, SHUTDOWN_watchdog);
      break;
    case TimerKind::budget: parts_.core.scheduler.budget_earned(*vcpu.domain); break;
  }
}

// The guest's own record of its runstate, by linear address: only now can its page tables be used.
template <typename P>
void Hypervisor<P>::write_areas(Vcpu<P>& vcpu) {
  const std::uint64_t area = vcpu.runstate_area.load();
  if (area != 0) {
    (void)write_runstate(parts_, vcpu, vcpu, area, vcpu.areas_narrow).has_value();
  }
}

template <typename P>
Next<Vcpu<P>> Hypervisor<P>::schedule(unsigned cpu) {
  Core<P>& core = parts_.core;
  const std::uint64_t now = core.platform.now_ns();
  while (Timer<P>* const timer = core.timers.expire(cpu, now)) {
    fire(*timer);
  }
  const auto pick = core.scheduler.pick(cpu, now);
  if (pick.vcpu != nullptr) {
    core.frames.abandon_scrub(cpu);
    host_.stop_polling(cpu);
    sched_op::end_stale_poll(parts_, *pick.vcpu);
    if (pick.switched) {
      write_areas(*pick.vcpu);
    }
  }
  parts_.reaper.grace().passed(cpu);
  const std::uint64_t timer = core.timers.next(cpu);
  return {pick.vcpu, timer < pick.slice_end ? timer : pick.slice_end};
}

// Tells the host that memory can be released: when all is scrubbed, or when it has become much.
template <typename P>
void Hypervisor<P>::publish_releasable(bool scrubbed_all) {
  constexpr std::uint64_t much = 16384;  // pages: 64 MiB
  const std::uint64_t pages = parts_.core.frames.counts().offerable();
  shared_word::store<std::uint64_t>(&parts_.core.header().releasable_pages, pages);
  if (pages < xl::abi::release_threshold) {
    release_told_.store(false);
  } else if ((scrubbed_all || pages >= much) && !release_told_.exchange(true)) {
    parts_.core.ring_host(xl::abi::sleeping_for_events);
  }
}

template <typename P>
bool Hypervisor<P>::idle_work(unsigned cpu) {
  if (host_.has_request() || parts_.core.scheduler.wants_attention(cpu) ||
      parts_.reaper.has_work()) {
    return true;
  }
  if (parts_.core.frames.scrub_some(cpu)) {
    publish_releasable(false);
    return true;
  }
  publish_releasable(true);
  return host_.keep_polling(cpu);
}

template <typename P>
bool Hypervisor<P>::prepare_sleep(unsigned cpu) {
  host_.stop_polling(cpu);
  parts_.reaper.grace().sleeps(cpu);
  // Flags first, then the look: whoever acts in between either sees the flag and kicks, or is seen.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return !host_.has_request() && !parts_.core.scheduler.wants_attention(cpu) &&
         !parts_.reaper.has_work();
}

template <typename P>
void Hypervisor<P>::wake_up(unsigned cpu) {
  parts_.reaper.grace().awakes(cpu);
}

// --- exits ---

template <typename P>
void Hypervisor<P>::fault(Vcpu<P>& vcpu, Gfn gfn) {
  const Result<PhysmapEntry> found = touch(vcpu, gfn);
  if (found || found.error() == Errno::again) {
    return;
  }
  const char* const cause = found.error() == Errno::nomem
                                ? "touched more memory than its target allows"
                                : "touched memory for which the host has no frame";
  crash_domain(parts_, vcpu, {cause, 0, gfn.value(), 0});
}

template <typename P>
void Hypervisor<P>::hypercall(Vcpu<P>& vcpu, HypercallFrame& frame) {
  vcpu.last_hypercall = frame.number;
  if (frame.number < hypercall_numbers) {
    ++vcpu.hypercalls[frame.number];
  }
  frame.restart = false;
  const Call<P> call{parts_, vcpu, frame};
  frame.result = static_cast<std::uint64_t>(dispatch_hypercall(call));
}

template <typename P>
std::optional<std::uint8_t> Hypervisor<P>::upcall_vector(const Vcpu<P>& vcpu) const {
  const std::uint8_t vector = vcpu.domain->callback_vector.load(std::memory_order_relaxed);
  if (vector == 0 || !vcpu.info || !vcpu.info.upcall_pending()) {
    return std::nullopt;
  }
  return vector;
}

template <typename P>
void Hypervisor<P>::repeat_upcall(Vcpu<P>& vcpu) {
  const std::uint8_t vector = vcpu.upcall_vector.load();
  if (vector != 0 && vcpu.info && vcpu.info.upcall_pending()) {
    parts_.core.platform.assert_vector(vcpu, vector);
  }
}

template <typename P>
void Hypervisor<P>::crash(Vcpu<P>& vcpu, const CrashReport& report) {
  crash_domain(parts_, vcpu, report);
}

}  // namespace hyp
