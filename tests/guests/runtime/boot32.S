/* SPDX-License-Identifier: Apache-2.0 */
/* Entry of a 32-bit guest: no paging, the boot segments stay as the toolstack set them. */
#include "note.inc"

  .section .text.boot, "ax"
  .code32
  .globl guest_start
guest_start:
  mov %eax, guest_entry_state
  mov %esp, guest_entry_state + 24
  mov $guest_stack_end, %esp
  call guest_keep_entry_state
  cld
  push %ebx
  call guest_entry
1: hlt
  jmp 1b

  .section .bss, "aw", @nobits
  .balign 4096
  .skip 16384
guest_stack_end:

  .section .note.GNU-stack, "", @progbits
