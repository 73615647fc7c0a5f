// SPDX-License-Identifier: Apache-2.0
// Console input: prints lines=N numbered lines, then gives back each line it reads as "echo: ..."
// until "quit".
#include "tests/guests/runtime/events.hpp"
#include "tests/guests/runtime/traps.hpp"

extern "C" {
#include <xen/hvm/params.h>
#include <xen/io/console.h>
}

namespace guest {

const char* const guest_name = "echo";

namespace {

xencons_interface* ring_;
char line_[256];
unsigned length_;

void end_line() {
  line_[length_] = '\0';
  length_ = 0;
  const char* want = "quit";
  const char* at = line_;
  while (*want != '\0' && *at == *want) {
    ++at, ++want;
  }
  if (*want == '\0' && *at == '\0') {
    pass();
  }
  say("echo: ", static_cast<const char*>(line_));
}

void read_ring() {
  while (ring_->in_cons != __atomic_load_n(&ring_->in_prod, __ATOMIC_ACQUIRE)) {
    const char c = ring_->in[MASK_XENCONS_IDX(ring_->in_cons, ring_->in)];
    __atomic_store_n(&ring_->in_cons, ring_->in_cons + 1, __ATOMIC_RELEASE);
    if (c == '\r' || c == '\n') {
      end_line();
    } else if (length_ < sizeof line_ - 1) {
      line_[length_++] = c;
    }
  }
}

}  // namespace

void guest_main() {
  map_shared_info();
  ring_ = reinterpret_cast<xencons_interface*>(static_cast<Word>(hvm_param(HVM_PARAM_CONSOLE_PFN))
                                               << 12);
  const auto port = static_cast<evtchn_port_t>(hvm_param(HVM_PARAM_CONSOLE_EVTCHN));
  set_masked(port, false);
  enable_upcall([](evtchn_port_t) {});
  for (uint64_t i = 1; i <= option("lines", 0); ++i) {
    say("line ", i);
  }
  say("READY echo");
  for (;;) {
    disable_interrupts();
    read_ring();
    send(port);  // there is room again
    wait_for_interrupt();
  }
}

}  // namespace guest
