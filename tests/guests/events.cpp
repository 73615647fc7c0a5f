// SPDX-License-Identifier: Apache-2.0
// Event channels within one domain: allocate, bind, send, mask, poll, close, and both kinds of
// upcall.
#include "tests/guests/runtime/events.hpp"

#include "tests/guests/runtime/traps.hpp"

extern "C" {
#include <xen/errno.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>
}

namespace guest {

const char* const guest_name = "events";

namespace {

struct Pair {
  evtchn_port_t one, other;
};

volatile unsigned handled_[4096];

void on_event(evtchn_port_t port) {
  handled_[port] = handled_[port] + 1;
}

Pair connected_pair() {
  evtchn_alloc_unbound unbound{DOMID_SELF, DOMID_SELF, 0};
  check(event_op(EVTCHNOP_alloc_unbound, &unbound) == 0, "alloc_unbound");
  evtchn_bind_interdomain bind{DOMID_SELF, unbound.port, 0};
  check(event_op(EVTCHNOP_bind_interdomain, &bind) == 0, "bind_interdomain with itself");
  check(bind.local_port != unbound.port && bind.local_port != 0, "two ports of a pair are two");
  return {unbound.port, bind.local_port};
}

void close_port(evtchn_port_t port) {
  evtchn_close request{port};
  check(event_op(EVTCHNOP_close, &request) == 0, "close ", static_cast<uint64_t>(port));
}

void check_send_and_mask(Pair pair) {
  handle_events(on_event);  // binding may have raised it once
  handled_[pair.other] = 0;
  set_masked(pair.other, true);
  check(send(pair.one) == 0, "send");
  check(pending(pair.other), "the other end is pending");
  check(!pending(pair.one), "the sending end is not");
  vcpu().evtchn_upcall_pending = 0;
  evtchn_unmask unmask{pair.other};
  check(event_op(EVTCHNOP_unmask, &unmask) == 0, "unmask");
  check(vcpu().evtchn_upcall_pending != 0, "unmasking a pending port asks for an upcall");
  check(handle_events(on_event) >= 1 && handled_[pair.other] == 1, "it is delivered once");
  check(!pending(pair.other), "and is then not pending");
}

void check_status(Pair pair) {
  evtchn_status status{};
  status.dom = DOMID_SELF;
  status.port = pair.one;
  check(event_op(EVTCHNOP_status, &status) == 0, "status");
  check(status.status == EVTCHNSTAT_interdomain && status.u.interdomain.port == pair.other,
        "status names the other end");
}

void check_refusals() {
  check(send(4000) == -XEN_EINVAL, "send to a free port is EINVAL");
  check(send(0xffffffffU) == -XEN_EINVAL, "send to port 2^32-1 is EINVAL");
  evtchn_close nothing{3999};
  check(event_op(EVTCHNOP_close, &nothing) == -XEN_EINVAL, "close of a free port is EINVAL");
  evtchn_bind_virq virq{9999, 0, 0};
  check(event_op(EVTCHNOP_bind_virq, &virq) == -XEN_EINVAL, "VIRQ 9999 is EINVAL");
  evtchn_bind_ipi ipi{77, 0};
  check(event_op(EVTCHNOP_bind_ipi, &ipi) == -XEN_ENOENT, "an IPI to vcpu 77 is ENOENT");
  check(event_op(EVTCHNOP_send, reinterpret_cast<void*>(0x800000000000UL)) == -XEN_EFAULT,
        "a pointer that is not canonical is EFAULT");
  check(event_op(12345, nullptr) == -XEN_ENOSYS, "command 12345 is ENOSYS");
}

void check_poll(evtchn_port_t port) {
  sched_poll poll{};
  poll.ports.p = &port;
  poll.nr_ports = 1;
  check(send(port) == 0, "send before poll");
  check(hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, address(&poll)) == 0,
        "poll of a pending port");
  clear_pending(port);
  const uint64_t start = system_time();
  poll.timeout = start + 20'000'000;
  // It may come back early, without an event: whoever polls looks again. Xen sometimes does.
  unsigned turns = 0;
  do {
    check(hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, address(&poll)) == 0,
          "poll with a timeout");
  } while (system_time() < poll.timeout && ++turns < 100);
  check(turns < 100, "poll does not wait");
}

unsigned wait_for(evtchn_port_t port, unsigned count) {
  for (const uint64_t end = system_time() + 2'000'000'000;
       handled_[port] < count && system_time() < end;) {
    relax();
  }
  return handled_[port];
}

void check_upcall(evtchn_port_t ipi, const char* which) {
  handled_[ipi] = 0;
  check(send(ipi) == 0, "send to the IPI port");
  check(wait_for(ipi, 1) == 1, which, " upcall did not come");
  for (unsigned i = 0; i < 100; ++i) {
    check(send(ipi) == 0, "send again");
    check(wait_for(ipi, i + 2) == i + 2, which, " upcall ", static_cast<uint64_t>(i), " was lost");
  }
  vcpu().evtchn_upcall_mask = 1;  // means nothing in an HVM container: interrupts are what masks
  vcpu().evtchn_upcall_mask = 0;
  disable_interrupts();
  check(send(ipi) == 0, "send with interrupts off");
  check(handled_[ipi] == 101, "no upcall while interrupts are off");
  enable_interrupts();
  check(wait_for(ipi, 102) == 102, which, " upcall after sti did not come");
}

volatile uint32_t* local_apic() {
  return reinterpret_cast<volatile uint32_t*>(0xfee00000UL);
}

volatile unsigned vcpu_upcalls_;

void on_vcpu_upcall(TrapFrame&) {
  vcpu_upcalls_ = vcpu_upcalls_ + 1;
  local_apic()[0xb0 / 4] = 0;  // this kind goes through the local APIC, so it wants an EOI
  handle_events(on_event);
}

void set_vcpu_vector(uint8_t vector) {
  xen_hvm_evtchn_upcall_vector request{0, vector};
  must("HVMOP_set_evtchn_upcall_vector", __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector,
       address(&request));
}

// Interrupts are off. While the local APIC is off an upcall is lost, but it is repeated.
void enable_vcpu_upcall(evtchn_port_t ipi) {
  constexpr uint8_t vector = 0xd1;
  const auto requested = [] {
    return (local_apic()[(0x200 + vector / 32 * 0x10) / 4] >> (vector % 32) & 1) != 0;
  };
  set_trap_handler(vector, on_vcpu_upcall);
  set_vcpu_vector(vector);
  check(send(ipi) == 0, "send while the local APIC is off");
  check(!requested(), "a local APIC that is off takes no upcall");
  local_apic()[0xf0 / 4] = 0x1ff;
  check(requested(), "it takes the upcall when it is on");
}

void disable_domain_upcall() {
  xen_hvm_param param{DOMID_SELF, 0, HVM_PARAM_CALLBACK_IRQ, 0};
  must("HVMOP_set_param no callback", __HYPERVISOR_hvm_op, HVMOP_set_param, address(&param));
}

// Ports are given back: as many pairs as a table could never hold at once.
void check_reuse() {
  for (unsigned i = 0; i < 5000; ++i) {
    const Pair pair = connected_pair();
    close_port(pair.one);
    close_port(pair.other);
  }
}

}  // namespace

void guest_main() {
  map_shared_info();
  const Pair pair = connected_pair();
  check_send_and_mask(pair);
  check_status(pair);
  check_refusals();
  evtchn_bind_ipi ipi{0, 0};
  check(event_op(EVTCHNOP_bind_ipi, &ipi) == 0, "bind_ipi");
  set_masked(ipi.port, true);
  check_poll(ipi.port);
  set_masked(ipi.port, false);
  enable_upcall(on_event);
  enable_interrupts();
  check_upcall(ipi.port, "domain");
  disable_interrupts();
  enable_vcpu_upcall(ipi.port);
  enable_interrupts();
  check_upcall(ipi.port, "either");
  disable_domain_upcall();
  vcpu_upcalls_ = 0;
  check_upcall(ipi.port, "vcpu");
  check(vcpu_upcalls_ == 102, "an upcall of the vcpu for each of 102 events");
  check_reuse();
  close_port(pair.one);
  check(send(pair.other) != 0 || !pending(pair.one), "a closed port gets nothing");
  pass();
}

}  // namespace guest
