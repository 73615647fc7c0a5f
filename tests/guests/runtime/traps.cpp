// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/runtime/traps.hpp"

#include "tests/guests/runtime/runtime.hpp"

extern "C" unsigned char guest_trap_stubs[];

namespace guest {

namespace {

struct Gate {  // AMD64 manual volume 2, 4.8.4
  uint16_t offset_low, selector, flags, offset_middle;
  uint32_t offset_high, reserved;
};

alignas(16) Gate table[256];
TrapHandler handlers[256];

}  // namespace

void load_traps() {
  for (unsigned vector = 0; vector < 256; ++vector) {
    const uint64_t stub = address(guest_trap_stubs) + vector * 16;
    table[vector] =
        Gate{static_cast<uint16_t>(stub),       0x08, 0x8e00, static_cast<uint16_t>(stub >> 16),
             static_cast<uint32_t>(stub >> 32), 0};
  }
  struct __attribute__((packed)) {
    uint16_t limit;
    uint64_t base;
  } const pointer{sizeof table - 1, address(table)};
  // SAFETY: the table is complete and lives for ever.
  asm volatile("lidt %0" : : "m"(pointer));
}

void set_trap_handler(unsigned vector, TrapHandler handler) {
  handlers[vector] = handler;
}

}  // namespace guest

extern "C" void guest_trap(guest::TrapFrame* frame) {
  if (guest::handlers[frame->vector] == nullptr) {
    uint64_t cr2 = 0;
    // SAFETY: reads a register.
    asm volatile("mov %%cr2, %0" : "=r"(cr2));
    guest::fail("trap ", frame->vector, " error ", guest::Hex{frame->error}, " at ",
                guest::Hex{frame->rip}, " cr2 ", guest::Hex{cr2});
  }
  guest::handlers[frame->vector](*frame);
}
