// SPDX-License-Identifier: Apache-2.0
// SHUTDOWN_soft_reset, as a kernel does that loads another one: memory and this very code go on,
// the event channels do not. Twice, then it ends well.
#include "tests/guests/runtime/events.hpp"

extern "C" {
#include <xen/hvm/params.h>
#include <xen/sched.h>
}

namespace guest {

const char* const guest_name = "softreset";

namespace {

void reset(uint64_t round) {
  const evtchn_port_t mine = bind_virq(VIRQ_DEBUG);
  sched_shutdown shutdown{SHUTDOWN_soft_reset};
  const long result = hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, address(&shutdown));
  check(result == 0, "SCHEDOP_shutdown gave ", Hex{static_cast<uint64_t>(result)});
  const auto console = static_cast<evtchn_port_t>(hvm_param(HVM_PARAM_CONSOLE_EVTCHN));
  const auto store = static_cast<evtchn_port_t>(hvm_param(HVM_PARAM_STORE_EVTCHN));
  say("round ", round, ": console ", static_cast<uint64_t>(console), ", store ",
      static_cast<uint64_t>(store));
  check(send(console) == 0, "the console's port does not work");
  check(send(store) == 0, "the store's port does not work");
  check(console == mine || store == mine || send(mine) != 0, "an old event channel still works");
}

}  // namespace

void guest_main() {
  for (uint64_t round = 1; round <= 2; ++round) {
    reset(round);
  }
  pass();
}

}  // namespace guest
