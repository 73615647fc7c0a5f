// SPDX-License-Identifier: Apache-2.0
// What a CPU found in its registers before it used any (entry_state.S).
#pragma once

#include <stdint.h>

namespace guest {

struct EntryState {
  uint32_t eax, ecx, edx, esi, edi, ebp, esp, eflags;
  uint32_t cr0, cr3, cr4, efer, dr6, dr7;
  uint32_t cs, ds, fs, tr;
  uint16_t gdt_limit, gdt_base[2], reserved1;
  uint16_t idt_limit, idt_base[2], reserved2;
};
static_assert(sizeof(EntryState) == 88);

// A line for each, as "entry eax = 0x0"; `state` may still change.
void tell_state(const char* when, const volatile EntryState& state);

}  // namespace guest
