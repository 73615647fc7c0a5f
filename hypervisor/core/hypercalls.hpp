// SPDX-License-Identifier: Apache-2.0
// The hypercall table of a PVH domain. What is not in it answers -ENOSYS.
#pragma once

#include "hypervisor/core/hypercall_console.hpp"
#include "hypervisor/core/hypercall_event.hpp"
#include "hypervisor/core/hypercall_grant.hpp"
#include "hypervisor/core/hypercall_hvm.hpp"
#include "hypervisor/core/hypercall_memory.hpp"
#include "hypervisor/core/hypercall_misc.hpp"
#include "hypervisor/core/hypercall_sched.hpp"
#include "hypervisor/core/hypercall_vcpu.hpp"
#include "hypervisor/core/hypercall_version.hpp"

namespace hyp {

// Commands are `int` or `unsigned int` in Xen's prototypes: only the lower half of the register
// counts.
constexpr std::uint64_t low(std::uint64_t word) {
  return static_cast<std::uint32_t>(word);
}

template <typename P>
std::int64_t dispatch_hypercall(const Call<P>& call) {
  switch (call.frame.number) {
    case __HYPERVISOR_memory_op: return memory_op::dispatch(call, call.arg(0), call.arg(1));
    case __HYPERVISOR_xen_version:
      return xen_version::dispatch(call, low(call.arg(0)), call.arg(1));
    case __HYPERVISOR_console_io:
      return console_io::dispatch(call, low(call.arg(0)), call.arg(1), call.arg(2));
    case __HYPERVISOR_grant_table_op:
      return grant_op::dispatch(call, low(call.arg(0)), call.arg(1), low(call.arg(2)));
    case __HYPERVISOR_vcpu_op:
      return vcpu_op::dispatch(call, low(call.arg(0)), low(call.arg(1)), call.arg(2));
    case __HYPERVISOR_sched_op: return sched_op::dispatch(call, low(call.arg(0)), call.arg(1));
    case __HYPERVISOR_event_channel_op:
      return to_value(event_op::dispatch(call, low(call.arg(0)), call.arg(1)));
    case __HYPERVISOR_hvm_op: return to_value(hvm_op::dispatch(call, call.arg(0), call.arg(1)));
    case __HYPERVISOR_set_timer_op: return timer_op::set(call);
    case __HYPERVISOR_vm_assist:
      return vm_assist::dispatch(call, low(call.arg(0)), low(call.arg(1)));
    case __HYPERVISOR_multicall:
      return multicall::dispatch(call,
                                 [](const Call<P>& inner) { return dispatch_hypercall(inner); });
    default: return negative(Errno::nosys);
  }
}

}  // namespace hyp
