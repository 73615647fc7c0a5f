// SPDX-License-Identifier: Apache-2.0
// Prints numbered lines for ever, one each pause=N ms; whoever reads its console can tell whether a
// line is lost or comes twice.
#include "tests/guests/runtime/events.hpp"
#include "tests/guests/runtime/traps.hpp"

namespace guest {

const char* const guest_name = "counter";

namespace {

constexpr uint64_t millisecond = 1'000'000;

volatile unsigned fired_;

void on_event(evtchn_port_t) {
  fired_ = fired_ + 1;
}

void sleep_until(uint64_t when) {
  const unsigned before = fired_;
  vcpu_set_singleshot_timer request{when, 0};
  must("set_singleshot_timer", __HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0,
       address(&request));
  for (;;) {
    disable_interrupts();
    if (fired_ != before) {
      enable_interrupts();
      return;
    }
    wait_for_interrupt();
  }
}

}  // namespace

void guest_main() {
  map_shared_info();
  set_masked(bind_virq(VIRQ_TIMER), false);
  enable_upcall(on_event);
  hypercall(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0);
  const uint64_t pause = option("pause", 5) * millisecond;
  for (uint64_t number = 1;; ++number) {
    say("line ", number);
    sleep_until(system_time() + pause);
  }
}

}  // namespace guest
