// SPDX-License-Identifier: Apache-2.0
// HYPERVISOR_event_channel_op (public/event_channel.h). Its structures are alike in both widths.
#pragma once

#include "hypervisor/core/call.hpp"

namespace hyp::event_op {

template <typename P>
Result<void> alloc_unbound(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(evtchn_alloc_unbound op, call.template read<evtchn_alloc_unbound>(arg));
  if (!call.is_self(op.dom)) {
    return fail(op.dom == 0 || call.parts.core.domains.find(DomId(op.dom)) != nullptr
                    ? Errno::perm
                    : Errno::srch);
  }
  const DomId remote = call.is_self(op.remote_dom) ? call.domain().id : DomId(op.remote_dom);
  XL_TRY_ASSIGN(op.port, call.parts.events.alloc_unbound(&call.domain(), remote));
  return call.write(arg, op);
}

template <typename P>
Result<void> bind_interdomain(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(evtchn_bind_interdomain op, call.template read<evtchn_bind_interdomain>(arg));
  Domain<P>* remote = &call.domain();
  if (!call.is_self(op.remote_dom)) {
    remote = call.parts.core.domains.find(DomId(op.remote_dom));
    if (remote == nullptr && op.remote_dom != 0) {
      return fail(Errno::srch);
    }
  }
  XL_TRY_ASSIGN(op.local_port,
                call.parts.events.bind_interdomain(&call.domain(), remote, op.remote_port));
  return call.write(arg, op);
}

template <typename P>
Result<void> bind_virq(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(evtchn_bind_virq op, call.template read<evtchn_bind_virq>(arg));
  XL_TRY_ASSIGN(op.port, call.parts.events.bind_virq(call.domain(), op.virq, op.vcpu));
  return call.write(arg, op);
}

template <typename P>
Result<void> bind_ipi(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(evtchn_bind_ipi op, call.template read<evtchn_bind_ipi>(arg));
  XL_TRY_ASSIGN(op.port, call.parts.events.bind_ipi(call.domain(), op.vcpu));
  return call.write(arg, op);
}

template <typename P>
Result<void> bind_pirq(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(evtchn_bind_pirq op, call.template read<evtchn_bind_pirq>(arg));
  XL_TRY_ASSIGN(op.port, call.parts.events.bind_pirq(call.domain(), op.pirq));
  return call.write(arg, op);
}

template <typename P>
Result<void> status(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(evtchn_status op, call.template read<evtchn_status>(arg));
  if (!call.is_self(op.dom)) {
    return fail(op.dom == 0 || call.parts.core.domains.find(DomId(op.dom)) != nullptr
                    ? Errno::perm
                    : Errno::srch);
  }
  XL_TRY_ASSIGN(const Channel channel, call.parts.events.status(&call.domain(), op.port));
  op.vcpu = channel.vcpu;
  switch (channel.state) {
    case ChannelState::free: op.status = EVTCHNSTAT_closed; break;
    case ChannelState::unbound:
      op.status = EVTCHNSTAT_unbound;
      op.u.unbound.dom = channel.remote_domain;
      break;
    case ChannelState::interdomain:
      op.status = EVTCHNSTAT_interdomain;
      op.u.interdomain.dom = channel.remote_domain;
      op.u.interdomain.port = channel.remote;
      break;
    case ChannelState::virq:
      op.status = EVTCHNSTAT_virq;
      op.u.virq = channel.remote;
      break;
    case ChannelState::ipi: op.status = EVTCHNSTAT_ipi; break;
    case ChannelState::pirq:
      op.status = EVTCHNSTAT_pirq;
      op.u.pirq = channel.remote;
      break;
  }
  return call.write(arg, op);
}

template <typename P>
Result<void> reset(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(const evtchn_reset op, call.template read<evtchn_reset>(arg));
  if (!call.is_self(op.dom)) {
    return fail(op.dom == 0 || call.parts.core.domains.find(DomId(op.dom)) != nullptr
                    ? Errno::perm
                    : Errno::srch);
  }
  call.parts.events.reset(call.domain());
  return {};
}

template <typename P>
Result<void> init_control(const Call<P>& call, const evtchn_init_control& op) {
  Domain<P>& domain = call.domain();
  if (op.vcpu >= domain.vcpu_count) {
    return fail(Errno::noent);
  }
  if (op.offset > xl::page_size - sizeof(evtchn_fifo_control_block) || op.offset % 8 != 0) {
    return fail(Errno::inval);
  }
  // The memory lock keeps the page from being released before it counts as pinned.
  Guard guard(domain.memory_lock);
  XL_TRY_ASSIGN(const Mfn mfn, call.parts.memory.ram_frame(domain, Gfn(op.control_gfn)));
  return call.parts.events.init_control(*domain.vcpus[op.vcpu], mfn, op.offset);
}

template <typename P>
Result<void> dispatch(const Call<P>& call, std::uint64_t command, std::uint64_t arg) {
  Events<P>& events = call.parts.events;
  Domain<P>& domain = call.domain();
  switch (command) {
    case EVTCHNOP_alloc_unbound: return alloc_unbound(call, arg);
    case EVTCHNOP_bind_interdomain: return bind_interdomain(call, arg);
    case EVTCHNOP_bind_virq: return bind_virq(call, arg);
    case EVTCHNOP_bind_ipi: return bind_ipi(call, arg);
    case EVTCHNOP_bind_pirq: return bind_pirq(call, arg);
    case EVTCHNOP_status: return status(call, arg);
    case EVTCHNOP_reset: return reset(call, arg);
    case EVTCHNOP_close: {
      XL_TRY_ASSIGN(const evtchn_close op, call.template read<evtchn_close>(arg));
      return events.close(&domain, op.port);
    }
    case EVTCHNOP_send: {
      XL_TRY_ASSIGN(const evtchn_send op, call.template read<evtchn_send>(arg));
      return events.send(&domain, op.port);
    }
    case EVTCHNOP_bind_vcpu: {
      XL_TRY_ASSIGN(const evtchn_bind_vcpu op, call.template read<evtchn_bind_vcpu>(arg));
      return events.bind_vcpu(domain, op.port, op.vcpu);
    }
    case EVTCHNOP_unmask: {
      XL_TRY_ASSIGN(const evtchn_unmask op, call.template read<evtchn_unmask>(arg));
      return events.unmask(domain, op.port);
    }
    case EVTCHNOP_init_control: {
      XL_TRY_ASSIGN(evtchn_init_control op, call.template read<evtchn_init_control>(arg));
      XL_TRY(init_control(call, op));
      op.link_bits = EVTCHN_FIFO_LINK_BITS;
      return call.write(arg, op);
    }
    case EVTCHNOP_expand_array: {
      XL_TRY_ASSIGN(const evtchn_expand_array op, call.template read<evtchn_expand_array>(arg));
      Guard guard(domain.memory_lock);
      XL_TRY_ASSIGN(const Mfn mfn, call.parts.memory.ram_frame(domain, Gfn(op.array_gfn)));
      return events.expand_array(domain, mfn);
    }
    case EVTCHNOP_set_priority: {
      XL_TRY_ASSIGN(const evtchn_set_priority op, call.template read<evtchn_set_priority>(arg));
      return events.set_priority(domain, op.port, op.priority);
    }
    default: return fail(Errno::nosys);
  }
}

}  // namespace hyp::event_op
