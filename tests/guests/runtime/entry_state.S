/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps what a CPU found in its registers in abi.hpp's EntryState, but EAX and ESP, which whoever calls it has kept. */
  .section .text.boot, "ax"
/* Keeps EBX. */
  .code32
  .globl guest_keep_entry_state
guest_keep_entry_state:
  pushf
  pop guest_entry_state + 28
  mov %ecx, guest_entry_state + 4
  mov %edx, guest_entry_state + 8
  mov %esi, guest_entry_state + 12
  mov %edi, guest_entry_state + 16
  mov %ebp, guest_entry_state + 20
  mov %cr0, %eax
  mov %eax, guest_entry_state + 32
  mov %cr3, %eax
  mov %eax, guest_entry_state + 36
  mov %cr4, %eax
  mov %eax, guest_entry_state + 40
  mov $0xc0000080, %ecx        /* EFER */
  rdmsr
  mov %eax, guest_entry_state + 44
  mov %dr6, %eax
  mov %eax, guest_entry_state + 48
  mov %dr7, %eax
  mov %eax, guest_entry_state + 52
  mov %cs, %eax
  mov %eax, guest_entry_state + 56
  mov %ds, %eax
  mov %eax, guest_entry_state + 60
  mov %fs, %eax
  mov %eax, guest_entry_state + 64
  str %eax
  mov %eax, guest_entry_state + 68
  sgdt guest_entry_state + 72
  sidt guest_entry_state + 80
  ret

  .section .bss, "aw", @nobits
  .balign 8
  .globl guest_entry_state
guest_entry_state: .skip 88

  .section .note.GNU-stack, "", @progbits
