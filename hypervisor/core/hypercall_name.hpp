// SPDX-License-Identifier: Apache-2.0
// Hypercalls by name, for counters and reports.
#pragma once

#include "hypervisor/core/xen_abi.hpp"

namespace hyp {

// Null: none that a container may make.
constexpr const char* hypercall_name(unsigned number) {
  switch (number) {
    case __HYPERVISOR_memory_op: return "memory_op";
    case __HYPERVISOR_multicall: return "multicall";
    case __HYPERVISOR_set_timer_op: return "set_timer_op";
    case __HYPERVISOR_xen_version: return "xen_version";
    case __HYPERVISOR_console_io: return "console_io";
    case __HYPERVISOR_grant_table_op: return "grant_table_op";
    case __HYPERVISOR_vm_assist: return "vm_assist";
    case __HYPERVISOR_vcpu_op: return "vcpu_op";
    case __HYPERVISOR_sched_op: return "sched_op";
    case __HYPERVISOR_event_channel_op: return "event_channel_op";
    case __HYPERVISOR_physdev_op: return "physdev_op";
    case __HYPERVISOR_hvm_op: return "hvm_op";
    default: return nullptr;
  }
}

}  // namespace hyp
