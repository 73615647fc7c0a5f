/* SPDX-License-Identifier: Apache-2.0 */
/* Entry of a 64-bit guest: the first 4 GiB mapped one to one with 2 MiB pages, then long mode. */
#include "note.inc"

#define CODE64 0x08
#define DATA   0x10

  .section .text.boot, "ax"
  .code32
  .globl guest_start
guest_start:
  mov %eax, guest_entry_state
  mov %esp, guest_entry_state + 24
  mov $guest_stack_end, %esp   /* PVH leaves it undefined */
  call guest_keep_entry_state
  cld
  mov %ebx, %ebp

  mov $guest_pml4, %edi
  lea guest_pdpt + 3, %eax
  mov %eax, (%edi)

  mov $guest_pdpt, %edi
  mov $guest_page_directories + 3, %eax
  mov $4, %ecx
1: mov %eax, (%edi)
  add $4096, %eax
  add $8, %edi
  loop 1b

  mov $guest_page_directories, %edi
  mov $0x83, %eax             /* present, writable, 2 MiB */
  mov $2048, %ecx
2: mov %eax, (%edi)
  add $0x200000, %eax
  add $8, %edi
  loop 2b

  call guest_enter_long_mode
  ljmp $CODE64, $3f
  .code64
3:
  mov $guest_stack_end, %rsp
  mov %ebp, %edi
  call guest_entry
4: hlt
  jmp 4b

/* From 32-bit protected mode to compatibility mode with the boot page tables. Every CPU comes through here. */
  .code32
  .globl guest_enter_long_mode
guest_enter_long_mode:
  mov %cr4, %eax
  or $0x20, %eax              /* PAE */
  mov %eax, %cr4
  mov $guest_pml4, %eax
  mov %eax, %cr3
  mov $0xc0000080, %ecx       /* EFER */
  rdmsr
  or $0x100, %eax             /* LME */
  wrmsr
  mov %cr0, %eax
  or $0x80010000, %eax        /* PG, WP */
  mov %eax, %cr0
  lgdt guest_gdt_pointer
  mov $DATA, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  ret

  .section .data
  .balign 8
guest_gdt:
  .quad 0
  .quad 0x00af9b000000ffff    /* 64-bit code */
  .quad 0x00cf93000000ffff    /* data */
  .quad 0x00cf9b000000ffff    /* 32-bit code */
guest_gdt_end:
  .globl guest_gdt_pointer
guest_gdt_pointer:
  .word guest_gdt_end - guest_gdt - 1
  .quad guest_gdt

  .section .bss, "aw", @nobits
  .balign 4096
  .globl guest_pml4
guest_pml4: .skip 4096
guest_pdpt: .skip 4096
  .globl guest_page_directories
guest_page_directories: .skip 4 * 4096
  .skip 16384
guest_stack_end:

  .section .note.GNU-stack, "", @progbits
