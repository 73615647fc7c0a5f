// SPDX-License-Identifier: Apache-2.0
// HYPERVISOR_sched_op (public/sched.h).
#pragma once

#include "hypervisor/core/call.hpp"
#include "hypervisor/core/crash.hpp"

namespace hyp::sched_op {

inline constexpr std::uint32_t max_poll_ports = 128;

// What vcpu_has_event() says, for whoever is about to sleep.
template <typename P>
bool has_event(Parts<P>& parts, const Vcpu<P>& vcpu) {
  const bool upcall =
      vcpu.info && vcpu.info.upcall_pending() && vcpu.domain->callback_vector.load() != 0;
  return upcall || parts.core.platform.interrupt_pending(vcpu);
}

// Sleeps until there is something to deliver. What arrives in between is seen: the flag is set
// before the look.
template <typename P>
void block(Parts<P>& parts, Vcpu<P>& vcpu) {
  vcpu.blocked.store(true);
  if (has_event(parts, vcpu)) {
    vcpu.blocked.store(false);
  }
}

// Ends a poll; true if this call ended it.
template <typename P>
bool end_poll(Vcpu<P>& vcpu) {
  if (vcpu.poll_port.exchange(0) == 0) {
    return false;
  }
  vcpu.domain->pollers.fetch_sub(1);
  return true;
}

// A vcpu that was woken by something else than its poll does not poll any more.
template <typename P>
void end_stale_poll(Parts<P>& parts, Vcpu<P>& vcpu) {
  if (vcpu.poll_port.load(std::memory_order_relaxed) != 0 && end_poll(vcpu)) {
    parts.core.timers.cancel(vcpu.poll);
  }
}

template <typename P>
Result<void> poll(const Call<P>& call, std::uint64_t arg) {
  Fields<P> fields(call, arg);
  XL_TRY_ASSIGN(const std::uint64_t ports, fields.next_word());
  XL_TRY_ASSIGN(const std::uint32_t count, fields.template next<std::uint32_t>());
  XL_TRY_ASSIGN(const std::uint64_t timeout, fields.template next<std::uint64_t>());
  if (count > max_poll_ports) {
    return fail(Errno::inval);
  }
  Vcpu<P>& vcpu = call.vcpu;
  Parts<P>& parts = call.parts;
  std::array<std::uint32_t, max_poll_ports> list;
  XL_TRY(call.read_bytes(list.data(), ports, count * sizeof(std::uint32_t)));
  for (std::uint32_t i = 0; i < count; ++i) {
    XL_TRY(parts.events.check_port(call.domain(), list[i]));
  }
  // Flags first, then the look: an event in between ends the poll.
  vcpu.blocked.store(true);
  call.domain().pollers.fetch_add(1);
  vcpu.poll_port.store(count == 1 ? list[0] : ~0U);
  bool ready = has_event(parts, vcpu);
  for (std::uint32_t i = 0; i < count && !ready; ++i) {
    ready = parts.events.is_pending(call.domain(), list[i]);
  }
  if (ready) {
    end_poll(vcpu);
    vcpu.blocked.store(false);
  } else if (timeout != 0) {
    parts.core.timers.arm(vcpu.poll, timeout);
  }
  return {};
}

template <typename P>
Result<void> shutdown(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(const sched_shutdown op, call.template read<sched_shutdown>(arg));
  const std::uint32_t reason = op.reason & 0xff;
  if (reason == SHUTDOWN_crash) {
    crash_domain(call.parts, call.vcpu, CrashReport{"its own word (SHUTDOWN_crash)", 0, 0, 0});
    return {};
  }
  call.parts.lifecycle.shutdown(call.domain(), reason);
  return {};
}

// Two watchdogs per domain. Id 0 asks for a new one and answers its id; a timeout of 0 gives one
// back.
template <typename P>
std::int64_t watchdog(const Call<P>& call, std::uint64_t arg) {
  const Result<sched_watchdog> op = call.template read<sched_watchdog>(arg);
  if (!op) {
    return negative(op.error());
  }
  Domain<P>& domain = call.domain();
  Guard guard(domain.memory_lock);
  std::uint32_t index = op->id - 1;
  if (op->id == 0) {
    for (index = 0; index < domain.watchdogs.size() && domain.watchdog_used[index];) {
      ++index;
    }
    if (index == domain.watchdogs.size()) {
      // Xen mixes its answer with an unsigned id, so that this error has no sign.
      return static_cast<std::uint32_t>(negative(Errno::nospc));
    }
  } else if (index >= domain.watchdogs.size() || !domain.watchdog_used[index]) {
    return negative(Errno::inval);
  }
  const bool start = op->id == 0 || op->timeout != 0;
  domain.watchdog_used[index] = start;
  if (start) {
    constexpr std::uint64_t second = 1'000'000'000;
    call.parts.core.timers.arm(domain.watchdogs[index],
                               call.parts.core.platform.now_ns() + op->timeout * second);
  } else {
    call.parts.core.timers.cancel(domain.watchdogs[index]);
  }
  return op->id == 0 ? index + 1 : 0;
}

template <typename P>
std::int64_t dispatch(const Call<P>& call, std::uint64_t command, std::uint64_t arg) {
  switch (command) {
    case SCHEDOP_yield: call.parts.core.scheduler.yield(call.vcpu); return 0;
    case SCHEDOP_block: block(call.parts, call.vcpu); return 0;
    case SCHEDOP_shutdown: return to_value(shutdown(call, arg));
    case SCHEDOP_watchdog: return watchdog(call, arg);
    case SCHEDOP_poll: return to_value(poll(call, arg));
    case SCHEDOP_shutdown_code:
      return to_value(call.template read<sched_shutdown>(arg) ? Result<void>()
                                                              : Result<void>(fail(Errno::fault)));
    case SCHEDOP_remote_shutdown: {
      const Result<sched_remote_shutdown> op = call.template read<sched_remote_shutdown>(arg);
      if (!op) {
        return negative(op.error());
      }
      const bool exists =
          op->domain_id == 0 || call.parts.core.domains.find(DomId(op->domain_id)) != nullptr;
      return negative(exists ? Errno::perm : Errno::srch);
    }
    case SCHEDOP_pin_override: return negative(Errno::perm);
    default: return negative(Errno::nosys);
  }
}

}  // namespace hyp::sched_op
