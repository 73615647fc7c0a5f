// SPDX-License-Identifier: Apache-2.0
// SCHEDOP_watchdog: pokes one for longer than its timeout, gives it back and waits, then lets one
// run out. The domain then ends with SHUTDOWN_watchdog.
#include "tests/guests/runtime/events.hpp"

extern "C" {
#include <xen/errno.h>
#include <xen/sched.h>
}

namespace guest {

const char* const guest_name = "watchdog";

namespace {

long watchdog(uint32_t id, uint32_t timeout) {
  sched_watchdog op{id, timeout};
  return hypercall(__HYPERVISOR_sched_op, SCHEDOP_watchdog, address(&op));
}

void spin(uint64_t milliseconds) {
  for (const uint64_t end = system_time() + milliseconds * 1'000'000; system_time() < end;) {
    relax();
  }
}

}  // namespace

void guest_main() {
  map_shared_info();
  check(watchdog(1, 1) == -XEN_EINVAL, "a poke of one that is not in use");
  check(watchdog(0, 1000) == 1, "the first");
  check(watchdog(0, 1) == 2, "the second");
  // Xen computes this one error in 32 bits, without a sign.
  check(watchdog(0, 1) == static_cast<uint32_t>(-XEN_ENOSPC), "a third");
  for (int poke = 0; poke < 4; ++poke) {
    spin(400);
    check(watchdog(2, 1) == 0, "a poke");
  }
  check(watchdog(2, 0) == 0, "giving it back");
  spin(1200);
  check(watchdog(2, 1) == -XEN_EINVAL, "a poke of one that was given back");
  say("now it bites");
  check(watchdog(1, 1) == 0, "a shorter timeout");
  spin(20000);
  fail("it did not bite");
}

}  // namespace guest
