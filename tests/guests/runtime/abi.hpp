// SPDX-License-Identifier: Apache-2.0
// What boot64.S found in the registers before it used any.
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

}  // namespace guest
