// SPDX-License-Identifier: Apache-2.0
// What EVENT_CHANNEL_OP answers.
#include "tests/guests/abi.hpp"

namespace guest {

namespace {

// What Xen gives an HVM domain, also without a device that could ever raise it.
void pirqs() {
  const auto bind = [](const char* name, uint32_t pirq) {
    evtchn_bind_pirq request{pirq, 0, 0};
    ask(name, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, address(&request));
    return request.port;
  };
  const evtchn_port_t port = bind("event pirq", 1);
  bind("event pirq again", 1);
  bind("event pirq beyond", 1U << 20);
  evtchn_status status{DOMID_SELF, port};
  ask("event status of pirq", __HYPERVISOR_event_channel_op, EVTCHNOP_status, address(&status));
  tell("event status of pirq status", status.status);
  tell("event status of pirq number", status.u.pirq);
  evtchn_send send_it{port};
  ask("event send pirq", __HYPERVISOR_event_channel_op, EVTCHNOP_send, address(&send_it));
  evtchn_bind_vcpu to_vcpu{port, 0};
  ask("event bind vcpu of pirq", __HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu,
      address(&to_vcpu));
  const auto close = [](const char* name, evtchn_port_t mine) {
    evtchn_close request{mine};
    ask(name, __HYPERVISOR_event_channel_op, EVTCHNOP_close, address(&request));
  };
  close("event close pirq", port);
  close("event close pirq once more", bind("event pirq once more", 1));
}

// Ports come in groups, from the first on.
void ports_that_were_never_made() {
  for (evtchn_port_t port = 1; port < 4096; ++port) {
    evtchn_status status{DOMID_SELF, port};
    if (event_op(EVTCHNOP_status, &status) != 0) {
      return tell("event first port that was never made", port);
    }
  }
}

}  // namespace

void tell_events() {
  evtchn_alloc_unbound unbound{DOMID_SELF, 0, 0};
  ask("event alloc", __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, address(&unbound));
  tell("event first port", unbound.port);
  const auto on = [](const char* name, int command, auto request) {
    ask(name, __HYPERVISOR_event_channel_op, command, address(&request));
  };
  on("event alloc for nobody", EVTCHNOP_alloc_unbound, evtchn_alloc_unbound{DOMID_SELF, 0x7000, 0});
  on("event alloc in dom0", EVTCHNOP_alloc_unbound, evtchn_alloc_unbound{0, DOMID_SELF, 0});
  on("event bind nobody's", EVTCHNOP_bind_interdomain, evtchn_bind_interdomain{0x7000, 1, 0});
  on("event bind port 0", EVTCHNOP_bind_interdomain, evtchn_bind_interdomain{DOMID_SELF, 0, 0});
  on("event bind beyond", EVTCHNOP_bind_interdomain,
     evtchn_bind_interdomain{DOMID_SELF, 1U << 20, 0});
  on("event virq timer", EVTCHNOP_bind_virq, evtchn_bind_virq{VIRQ_TIMER, 0, 0});
  on("event virq timer again", EVTCHNOP_bind_virq, evtchn_bind_virq{VIRQ_TIMER, 0, 0});
  on("event virq of no vcpu", EVTCHNOP_bind_virq, evtchn_bind_virq{VIRQ_TIMER, 99, 0});
  on("event virq unknown", EVTCHNOP_bind_virq, evtchn_bind_virq{99, 0, 0});
  on("event virq console", EVTCHNOP_bind_virq, evtchn_bind_virq{VIRQ_CONSOLE, 0, 0});
  on("event ipi of no vcpu", EVTCHNOP_bind_ipi, evtchn_bind_ipi{99, 0});
  on("event send port 0", EVTCHNOP_send, evtchn_send{0});
  on("event send unbound", EVTCHNOP_send, evtchn_send{unbound.port});
  on("event send beyond", EVTCHNOP_send, evtchn_send{1U << 20});
  on("event close port 0", EVTCHNOP_close, evtchn_close{0});
  on("event close free port", EVTCHNOP_close, evtchn_close{900});
  on("event unmask beyond", EVTCHNOP_unmask, evtchn_unmask{1U << 20});
  on("event status of free port", EVTCHNOP_status, evtchn_status{DOMID_SELF, 900});
  on("event status beyond", EVTCHNOP_status, evtchn_status{DOMID_SELF, 1U << 20});
  on("event status of dom0", EVTCHNOP_status, evtchn_status{0, 1});
  on("event bind vcpu of no vcpu", EVTCHNOP_bind_vcpu, evtchn_bind_vcpu{unbound.port, 99});
  pirqs();
  ports_that_were_never_made();
  on("event fifo nowhere", EVTCHNOP_init_control, evtchn_init_control{~0ULL, 0, 0});
  on("event fifo array", EVTCHNOP_expand_array, evtchn_expand_array{1});
  on("event priority", EVTCHNOP_set_priority, evtchn_set_priority{unbound.port, 1});
  on("event reset of dom0", EVTCHNOP_reset, evtchn_reset{0});
  on("event unknown", 99, evtchn_close{0});
  ask("event nowhere", __HYPERVISOR_event_channel_op, EVTCHNOP_close, nowhere);
}

}  // namespace guest
