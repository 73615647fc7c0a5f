// SPDX-License-Identifier: Apache-2.0
// HYPERVISOR_vcpu_op (public/vcpu.h), as an HVM container may use it.
#pragma once

#include "hypervisor/core/call.hpp"
#include "hypervisor/core/runstate.hpp"

namespace hyp::vcpu_op {

inline constexpr std::uint64_t longest_period_ns = 1ULL << 57;  // STIME_DELTA_MAX

template <typename P>
Result<void> register_info(const Call<P>& call, Vcpu<P>& vcpu, std::uint64_t arg) {
  XL_TRY_ASSIGN(const vcpu_register_vcpu_info op, call.template read<vcpu_register_vcpu_info>(arg));
  if (op.offset > xl::page_size - vcpu_info_size || op.offset % (call.wide() ? 8 : 4) != 0) {
    return fail(Errno::nxio);
  }
  Domain<P>& domain = call.domain();
  {
    Guard guard(domain.memory_lock);
    if (vcpu.info_registered || (&vcpu != &call.vcpu && vcpu.online.load())) {
      return fail(Errno::inval);
    }
    XL_TRY_ASSIGN(const Mfn mfn, call.parts.memory.ram_frame(domain, Gfn(op.mfn)));
    call.parts.events.move_info(vcpu, call.parts.core.platform.frame(mfn) + op.offset);
    vcpu.info_mfn = mfn;
    vcpu.info_registered = true;
  }
  call.parts.lifecycle.write_time(vcpu);
  return {};
}

template <typename P>
Result<void> set_singleshot(const Call<P>& call, Vcpu<P>& vcpu, std::uint64_t arg) {
  if (&vcpu != &call.vcpu) {
    return fail(Errno::inval);
  }
  // The two fields lie alike in both widths; the hole behind them does not.
  XL_TRY_ASSIGN(const std::uint64_t deadline, call.template read<std::uint64_t>(arg));
  XL_TRY_ASSIGN(const std::uint32_t flags, call.template read<std::uint32_t>(arg + 8));
  if (deadline < call.parts.core.platform.now_ns()) {
    if ((flags & VCPU_SSHOTTMR_future) != 0) {
      return fail(Errno::time);
    }
    call.parts.core.timers.cancel(vcpu.singleshot);
    call.parts.events.raise_virq(vcpu, VIRQ_TIMER);
  } else {
    call.parts.core.timers.arm(vcpu.singleshot, deadline);
  }
  return {};
}

template <typename P>
Result<void> set_periodic(const Call<P>& call, Vcpu<P>& vcpu, std::uint64_t arg) {
  XL_TRY_ASSIGN(const std::uint64_t period, call.template read<std::uint64_t>(arg));
  if (period < 1'000'000 || period > longest_period_ns) {
    return fail(Errno::inval);
  }
  vcpu.period_ns.store(period);
  call.parts.core.timers.arm(vcpu.periodic, call.parts.core.platform.now_ns() + period);
  return {};
}

template <typename P>
Result<void> initialise(const Call<P>& call, Vcpu<P>& vcpu, std::uint64_t arg) {
  if (!vcpu.info) {
    return fail(Errno::inval);
  }
  XL_TRY_ASSIGN(const vcpu_hvm_context context, call.template read<vcpu_hvm_context>(arg));
  if (vcpu.initialised.load() || vcpu.online.load() || vcpu.running.load()) {
    return fail(Errno::exist);
  }
  XL_TRY(call.parts.core.platform.initialise_vcpu(vcpu, context));
  vcpu.initialised.store(true);
  return {};
}

template <typename P>
Result<void> down(const Call<P>& call, Vcpu<P>& vcpu) {
  bool last = true;
  for (unsigned i = 0; i < call.domain().vcpu_count; ++i) {
    const Vcpu<P>& other = *call.domain().vcpus[i];
    last = last && (&other == &vcpu || !other.online.load());
  }
  if (last) {
    call.parts.lifecycle.shutdown(call.domain(), SHUTDOWN_poweroff);
  } else {
    call.parts.lifecycle.guest_vcpu_down(vcpu);
  }
  return {};
}

template <typename P>
Result<void> register_runstate(const Call<P>& call, Vcpu<P>& vcpu, std::uint64_t arg) {
  XL_TRY_ASSIGN(const std::uint64_t address, call.read_word(arg));
  vcpu.runstate_area.store(address);
  vcpu.areas_narrow = !call.wide();
  return write_runstate(call.parts, call.vcpu, vcpu, address, !call.wide());
}

template <typename P>
Result<void> register_time(const Call<P>& call, Vcpu<P>& vcpu, std::uint64_t arg) {
  XL_TRY_ASSIGN(const std::uint64_t address, call.read_word(arg));
  const ClockSample sample = call.parts.core.platform.clock_sample();
  const ClockScale scale = call.parts.core.platform.clock_scale();
  // The clock is one for all CPUs and for all time, so that the record never has to change.
  alignas(8) std::array<std::byte, sizeof(vcpu_time_info)> record{};
  VcpuInfoView::write_time(record.data(), sample.tsc, sample.system_ns, scale.tsc_to_system_mul,
                           scale.tsc_shift);
  vcpu.time_area.store(address);
  return call.write_bytes(address, record.data(), record.size());
}

template <typename P>
Result<void> up(const Call<P>& call, Vcpu<P>& vcpu) {
  if (!vcpu.initialised.load()) {
    return fail(Errno::inval);
  }
  if (!vcpu.online.load()) {
    call.parts.lifecycle.guest_vcpu_up(vcpu);
  }
  return {};
}

template <typename P>
std::int64_t dispatch(const Call<P>& call, std::uint64_t command, std::uint64_t id,
                      std::uint64_t arg) {
  if (id >= call.domain().vcpu_count) {
    return negative(Errno::noent);
  }
  Vcpu<P>& vcpu = *call.domain().vcpus[id];
  switch (command) {
    case VCPUOP_initialise: return to_value(initialise(call, vcpu, arg));
    case VCPUOP_up: return to_value(up(call, vcpu));
    case VCPUOP_down: return to_value(down(call, vcpu));
    case VCPUOP_is_up: return vcpu.online.load() ? 1 : 0;
    case VCPUOP_get_runstate_info:
      return to_value(write_runstate(call.parts, call.vcpu, vcpu, arg, !call.wide()));
    case VCPUOP_register_runstate_memory_area: return to_value(register_runstate(call, vcpu, arg));
    case VCPUOP_register_vcpu_info: return to_value(register_info(call, vcpu, arg));
    case VCPUOP_register_vcpu_time_memory_area: return to_value(register_time(call, vcpu, arg));
    case VCPUOP_set_singleshot_timer: return to_value(set_singleshot(call, vcpu, arg));
    case VCPUOP_stop_singleshot_timer:
      if (&vcpu != &call.vcpu) {
        return negative(Errno::inval);
      }
      call.parts.core.timers.cancel(vcpu.singleshot);
      return 0;
    case VCPUOP_set_periodic_timer: return to_value(set_periodic(call, vcpu, arg));
    case VCPUOP_stop_periodic_timer:
      vcpu.period_ns.store(0);
      call.parts.core.timers.cancel(vcpu.periodic);
      return 0;
    case VCPUOP_get_physid: return negative(Errno::inval);  // for who is pinned to real CPUs
    default: return negative(Errno::nosys);
  }
}

}  // namespace hyp::vcpu_op
