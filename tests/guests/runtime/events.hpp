// SPDX-License-Identifier: Apache-2.0
// Shared info, event channels (2-level) and their upcall, for one vcpu. Source: xen.h,
// event_channel.h, vcpu.h.
#pragma once

#include "tests/guests/runtime/runtime.hpp"

extern "C" {
#include <xen/event_channel.h>
#include <xen/vcpu.h>
}

namespace guest {

inline constexpr uint8_t upcall_vector = 0xf3;

using EventHandler = void (*)(evtchn_port_t);

// Maps the shared info page where nothing else lies. Everything below needs it.
void map_shared_info();
shared_info& shared();
vcpu_info& vcpu();  // vcpu 0's, in shared info

// One upcall for the whole domain (HVM_PARAM_CALLBACK_IRQ), to `handler` for each pending, unmasked
// port.
void enable_upcall(EventHandler handler);
// Clears what is pending and calls the handler; what the upcall does.
unsigned handle_events(EventHandler handler);

long event_op(int command, void* argument);
bool pending(evtchn_port_t port);
void set_masked(evtchn_port_t port, bool masked);  // a plain store: no event is raised by unmasking
void clear_pending(evtchn_port_t port);
long send(evtchn_port_t port);
evtchn_port_t bind_virq(uint32_t virq);

// Nanoseconds since the hypervisor started, from the vcpu's time record. Source: xen.h,
// vcpu_time_info.
uint64_t system_time();

}  // namespace guest
