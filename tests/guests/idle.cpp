// SPDX-License-Identifier: Apache-2.0
// Says READY and sleeps for ever: a domain that costs nothing but its memory.
#include "tests/guests/runtime/events.hpp"
#include "tests/guests/runtime/traps.hpp"

namespace guest {

const char* const guest_name = "idle";

void guest_main() {
  map_shared_info();
  enable_upcall([](evtchn_port_t) {});
  say("READY idle");
  for (;;) {
    wait_for_interrupt();
  }
}

}  // namespace guest
