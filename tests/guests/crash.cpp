// SPDX-License-Identifier: Apache-2.0
// Ends in the way that its command line names: shutdown (SHUTDOWN_crash), triple (a triple fault),
// hole (runs where no memory is), stack (a fault on a stack that is not there), reboot, poweroff.
// What it printed before must survive.
#include "tests/guests/runtime/runtime.hpp"

extern "C" {
#include <xen/sched.h>
}

namespace guest {

const char* const guest_name = "crash";

namespace {

[[noreturn]] void triple_fault() {
  const struct __attribute__((packed)) {
    uint16_t limit;
    uint64_t base;
  } none{0, 0};
  for (;;) {
    // SAFETY: without an IDT the ud2 becomes a triple fault.
    asm volatile("lidt %0; ud2" : : "m"(none));
  }
}

[[noreturn]] void jump_to_hole() {
  for (;;) {
    // SAFETY: mapped by the guest's page tables, and no frame behind it.
    asm volatile("jmp *%0" : : "r"(0xf0000000UL));
  }
}

[[noreturn]] void lose_stack() {
  for (;;) {
    // SAFETY: the first push faults, and so does each attempt to deliver that.
    asm volatile("mov %0, %%rsp; push %%rax" : : "r"(0x4000000000UL));
  }
}

}  // namespace

void guest_main() {
  say("crash: the last words");
  if (has_word("triple")) {
    triple_fault();
  }
  if (has_word("hole")) {
    jump_to_hole();
  }
  if (has_word("stack")) {
    lose_stack();
  }
  if (has_word("reboot")) {
    shut_down(SHUTDOWN_reboot);
  }
  if (has_word("poweroff")) {
    shut_down(SHUTDOWN_poweroff);
  }
  shut_down(SHUTDOWN_crash);
}

}  // namespace guest
