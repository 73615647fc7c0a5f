// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/runtime/events.hpp"

#include "tests/guests/runtime/traps.hpp"

extern "C" {
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
}

namespace guest {

namespace {

__extension__ using Wide = unsigned __int128;

// Linux puts it there too: in the hole under 4 GiB, away from RAM, APICs and special pages.
constexpr Word shared_info_address = 0xfe700000;
EventHandler upcall_handler;

Word take(Word& word) {
  return __atomic_exchange_n(&word, 0, __ATOMIC_ACQ_REL);
}

void on_upcall(TrapFrame&) {
  handle_events(upcall_handler);
}

}  // namespace

void map_shared_info() {
  xen_add_to_physmap request{DOMID_SELF, 0, XENMAPSPACE_shared_info, 0, shared_info_address >> 12};
  must("XENMEM_add_to_physmap", __HYPERVISOR_memory_op, XENMEM_add_to_physmap, address(&request));
}

shared_info& shared() {
  return *reinterpret_cast<shared_info*>(shared_info_address);
}
vcpu_info& vcpu() {
  return shared().vcpu_info[0];
}

void enable_upcall(EventHandler handler) {
  upcall_handler = handler;
  set_trap_handler(upcall_vector, on_upcall);
  xen_hvm_param param{
      DOMID_SELF, 0, HVM_PARAM_CALLBACK_IRQ,
      (static_cast<uint64_t>(HVM_PARAM_CALLBACK_TYPE_VECTOR) << 56) | upcall_vector};
  must("HVMOP_set_param callback", __HYPERVISOR_hvm_op, HVMOP_set_param, address(&param));
}

unsigned handle_events(EventHandler handler) {
  unsigned handled = 0;
  vcpu().evtchn_upcall_pending = 0;
  for (Word words = take(vcpu().evtchn_pending_sel); words != 0; words &= words - 1) {
    const unsigned word = static_cast<unsigned>(__builtin_ctzl(words));
    const Word ports = shared().evtchn_pending[word] & ~shared().evtchn_mask[word];
    for (Word left = ports; left != 0; left &= left - 1) {
      const auto port = static_cast<evtchn_port_t>(word * sizeof(Word) * 8 +
                                                   static_cast<unsigned>(__builtin_ctzl(left)));
      clear_pending(port);
      handler(port);
      ++handled;
    }
  }
  return handled;
}

long event_op(int command, void* argument) {
  return hypercall(__HYPERVISOR_event_channel_op, static_cast<Word>(command), address(argument));
}

bool pending(evtchn_port_t port) {
  return (__atomic_load_n(&shared().evtchn_pending[port / 64], __ATOMIC_ACQUIRE) >> (port % 64) &
          1) != 0;
}

void set_masked(evtchn_port_t port, bool masked) {
  if (masked) {
    __atomic_fetch_or(&shared().evtchn_mask[port / 64], 1UL << (port % 64), __ATOMIC_ACQ_REL);
  } else {
    __atomic_fetch_and(&shared().evtchn_mask[port / 64], ~(1UL << (port % 64)), __ATOMIC_ACQ_REL);
  }
}

void clear_pending(evtchn_port_t port) {
  __atomic_fetch_and(&shared().evtchn_pending[port / 64], ~(1UL << (port % 64)), __ATOMIC_ACQ_REL);
}

long send(evtchn_port_t port) {
  evtchn_send request{port};
  return event_op(EVTCHNOP_send, &request);
}

evtchn_port_t bind_virq(uint32_t virq) {
  evtchn_bind_virq request{virq, 0, 0};
  check(event_op(EVTCHNOP_bind_virq, &request) == 0, "EVTCHNOP_bind_virq ",
        static_cast<uint64_t>(virq));
  return request.port;
}

uint64_t system_time() {
  const vcpu_time_info& record = vcpu().time;
  for (;;) {
    const uint32_t before = __atomic_load_n(&record.version, __ATOMIC_ACQUIRE);
    const uint64_t ticks = rdtsc() - record.tsc_timestamp;
    const uint64_t shifted =
        record.tsc_shift >= 0 ? ticks << record.tsc_shift : ticks >> -record.tsc_shift;
    const auto scaled =
        static_cast<uint64_t>((static_cast<Wide>(shifted) * record.tsc_to_system_mul) >> 32);
    const uint64_t time = record.system_time + scaled;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if ((before & 1) == 0 && before == __atomic_load_n(&record.version, __ATOMIC_ACQUIRE)) {
      return time;
    }
    relax();
  }
}

}  // namespace guest
