// SPDX-License-Identifier: Apache-2.0
// Keeps its vcpu busy with interrupts off, and never leaves the guest by itself: for ever, or for
// seconds=N of its TSC time.
#include "tests/guests/runtime/events.hpp"
#include "tests/guests/runtime/traps.hpp"

namespace guest {

const char* const guest_name = "spin";

void guest_main() {
  map_shared_info();
  const uint64_t seconds = option("seconds", 0);
  say("READY spin");
  disable_interrupts();
  for (const uint64_t end = system_time() + seconds * 1'000'000'000;
       seconds == 0 || system_time() < end;) {
    // SAFETY: no memory is touched. A plain loop: `pause` might be intercepted.
    asm volatile("mov $1000000, %%ecx\n1: dec %%ecx\n jnz 1b" : : : "ecx", "cc");
  }
  pass();
}

}  // namespace guest
