/* SPDX-License-Identifier: Apache-2.0 */
/* Where another CPU starts: copied to 0x8000, entered in real mode by SIPI with CS:IP = 0x0800:0. */
#define AT 0x8000

  .section .rodata, "a"
  .code16
  .globl guest_ap_start
guest_ap_start:
  cli
  xor %ax, %ax
  mov %ax, %ds
  lgdtl AT + (ap_gdt_pointer - guest_ap_start)
  mov %cr0, %eax
  or $1, %eax
  mov %eax, %cr0
  ljmpl $0x08, $AT + (ap_protected - guest_ap_start)
  .code32
ap_protected:
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov guest_ap_stack, %esp
  mov $guest_enter_long_mode, %eax
  call *%eax
  ljmp $0x08, $ap_long
  .balign 8
ap_gdt:
  .quad 0
  .quad 0x00cf9b000000ffff
  .quad 0x00cf93000000ffff
ap_gdt_pointer:
  .word ap_gdt_pointer - ap_gdt - 1
  .long AT + (ap_gdt - guest_ap_start)
  .globl guest_ap_end
guest_ap_end:

  .text
/* The same without the way there: from flat protected mode (VCPUOP_initialise), and from long mode. */
  .code32
  .globl guest_ap_entry32
guest_ap_entry32:
  mov guest_ap_stack, %esp
  call guest_enter_long_mode
  ljmp $0x08, $ap_long
  .code64
  .globl guest_ap_entry64
guest_ap_entry64:
ap_long:
  mov guest_ap_stack, %rsp
  call guest_ap_entry
1: hlt
  jmp 1b

  .data
  .balign 8
  .globl guest_ap_stack
guest_ap_stack: .quad 0

  .section .note.GNU-stack, "", @progbits
