// SPDX-License-Identifier: Apache-2.0
// HYPERVISOR_hvm_op (public/hvm/hvm_op.h) and the HVM parameters.
#pragma once

#include "hypervisor/core/call.hpp"

namespace hyp::hvm_op {

// HVM_PARAM_CALLBACK_IRQ: the type lies in bits 63:56; type 2 is a vector. Also latches the width
// of shared_info.
template <typename P>
void set_callback(Domain<P>& domain, std::uint64_t value) {
  constexpr std::uint64_t type_vector = 2;
  domain.callback_vector.store(value >> 56 == type_vector ? static_cast<std::uint8_t>(value)
                                                          : std::uint8_t{0});
}

constexpr bool guest_may_write(std::uint32_t index) {
  switch (index) {
    case HVM_PARAM_CALLBACK_IRQ:
    case HVM_PARAM_VM86_TSS_SIZED:
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
    case HVM_PARAM_VM_GENERATION_ID_ADDR:
    case HVM_PARAM_STORE_EVTCHN:
    case HVM_PARAM_CONSOLE_EVTCHN:
    case HVM_PARAM_X87_FIP_WIDTH: return true;
    default: return false;
  }
}

constexpr bool guest_may_read(std::uint32_t index) {
  return guest_may_write(index) || index == HVM_PARAM_STORE_PFN || index == HVM_PARAM_CONSOLE_PFN ||
         index == HVM_PARAM_ALTP2M;
}

// No longer in use by anybody.
constexpr bool is_retired(std::uint32_t index) {
  switch (index) {
    case HVM_PARAM_PAE_ENABLED:
    case HVM_PARAM_DM_DOMAIN:
    case HVM_PARAM_MEMORY_EVENT_CR0:
    case HVM_PARAM_MEMORY_EVENT_CR3:
    case HVM_PARAM_MEMORY_EVENT_CR4:
    case HVM_PARAM_MEMORY_EVENT_INT3:
    case HVM_PARAM_NESTEDHVM:
    case HVM_PARAM_MEMORY_EVENT_SINGLE_STEP:
    case HVM_PARAM_BUFIOREQ_EVTCHN:
    case HVM_PARAM_MEMORY_EVENT_MSR: return true;
    default: return false;
  }
}

template <typename P>
Result<xen_hvm_param> read_param(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(const xen_hvm_param op, call.template read<xen_hvm_param>(arg));
  if (op.index >= HVM_NR_PARAMS) {
    return fail(Errno::inval);
  }
  if (op.domid == 0) {
    return fail(Errno::inval);  // not an HVM domain: looked at before privilege is
  }
  if (!call.is_self(op.domid)) {
    return fail(call.parts.core.domains.find(DomId(op.domid)) != nullptr ? Errno::perm
                                                                         : Errno::srch);
  }
  if (is_retired(op.index)) {
    return fail(Errno::inval);
  }
  return op;
}

template <typename P>
Result<void> set_param(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(const xen_hvm_param op, read_param(call, arg));
  if (!guest_may_write(op.index)) {
    return fail(Errno::perm);
  }
  Domain<P>& domain = call.domain();
  if (op.index == HVM_PARAM_X87_FIP_WIDTH && op.value != 0 && op.value != 4 && op.value != 8) {
    return fail(Errno::inval);
  }
  if (op.index == HVM_PARAM_CALLBACK_IRQ) {
    call.parts.lifecycle.set_width(domain, !call.wide());
    set_callback(domain, op.value);
  }
  domain.params[op.index] = op.value;
  return {};
}

template <typename P>
Result<void> get_param(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(xen_hvm_param op, read_param(call, arg));
  if (!guest_may_read(op.index)) {
    return fail(Errno::perm);
  }
  op.value = call.domain().params[op.index];
  return call.write(arg, op);
}

template <typename P>
Result<void> set_upcall_vector(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(const xen_hvm_evtchn_upcall_vector op,
                call.template read<xen_hvm_evtchn_upcall_vector>(arg));
  if (op.vector < 0x10) {
    return fail(Errno::inval);
  }
  if (op.vcpu >= call.domain().vcpu_count) {
    return fail(Errno::noent);
  }
  Vcpu<P>& vcpu = *call.domain().vcpus[op.vcpu];
  vcpu.upcall_vector.store(op.vector);
  call.parts.core.platform.assert_vector(vcpu, op.vector);
  call.parts.core.wake(vcpu);
  return {};
}

template <typename P>
Result<void> dispatch(const Call<P>& call, std::uint64_t command, std::uint64_t arg) {
  switch (command) {
    case HVMOP_set_param: return set_param(call, arg);
    case HVMOP_get_param: return get_param(call, arg);
    case HVMOP_set_evtchn_upcall_vector: return set_upcall_vector(call, arg);
    case HVMOP_get_time:
      return call.write(arg, xen_hvm_get_time{call.parts.core.platform.now_ns()});
    case HVMOP_flush_tlbs:
      if (arg != 0) {
        return fail(Errno::inval);
      }
      call.parts.core.platform.flush_physmap(call.domain());
      return {};
    case HVMOP_guest_request_vm_event:
      if (arg != 0) {
        return fail(Errno::inval);
      }
      return {};
    case HVMOP_pagetable_dying: return fail(Errno::nosys);
    default: return fail(Errno::nosys);
  }
}

}  // namespace hyp::hvm_op
