// SPDX-License-Identifier: Apache-2.0
// The hypercall table of a PVH domain. What is not in it answers -ENOSYS.
#pragma once

#include "hypervisor/core/hypercall_event.hpp"
#include "hypervisor/core/hypercall_grant.hpp"
#include "hypervisor/core/hypercall_hvm.hpp"
#include "hypervisor/core/hypercall_memory.hpp"
#include "hypervisor/core/hypercall_misc.hpp"
#include "hypervisor/core/hypercall_sched.hpp"
#include "hypervisor/core/hypercall_vcpu.hpp"
#include "hypervisor/core/hypercall_version.hpp"

namespace hyp {

// XEN_DOMCTL_, XEN_SYSCTL_ and XENPF_INTERFACE_VERSION of Xen 4.17. The headers of the first two
// are for toolstacks only.
inline constexpr std::uint32_t domctl_version = 0x15;
inline constexpr std::uint32_t sysctl_version = 0x15;
inline constexpr std::uint32_t platform_version = 0x03000001;

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
    case __HYPERVISOR_domctl: return privileged::refuse(call, domctl_version);
    case __HYPERVISOR_sysctl: return privileged::refuse(call, sysctl_version);
    case __HYPERVISOR_platform_op: return privileged::refuse(call, platform_version);
    case __HYPERVISOR_mmuext_op:
      return mmuext_op::refuse(call, static_cast<std::uint16_t>(call.arg(3)));
    case __HYPERVISOR_dm_op:
      return dm_op::refuse(call, static_cast<std::uint16_t>(call.arg(0)),
                           static_cast<std::uint32_t>(call.arg(1)), call.arg(2));
    case __HYPERVISOR_console_io:  // Xen's debug builds log it
    case __HYPERVISOR_hypfs_op: return negative(Errno::perm);
    case __HYPERVISOR_xenpmu_op: return negative(Errno::opnotsupp);
    default: return negative(Errno::nosys);
  }
}

}  // namespace hyp
