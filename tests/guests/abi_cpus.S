/* SPDX-License-Identifier: Apache-2.0 */
/* Where the other CPUs of the guest abi-cpus start, and what it runs in user mode. */
#include "runtime/abi_layout.inc"

  .section .rodata, "a"
/* Copied to a page and entered in real mode by SIPI: keeps an EntryState, and that it has, in the second half of that page. */
  .code16
  .globl guest_keep16
guest_keep16:
  mov %eax, %cs:KEPT_AT
  mov %ecx, %cs:KEPT_AT + 4
  mov %edx, %cs:KEPT_AT + 8
  mov %esi, %cs:KEPT_AT + 12
  mov %edi, %cs:KEPT_AT + 16
  mov %ebp, %cs:KEPT_AT + 20
  mov %esp, %cs:KEPT_AT + 24
  pushfl                      /* to the end of the first 64 KiB, where nothing is */
  popl %cs:KEPT_AT + 28
  mov %cr0, %eax
  mov %eax, %cs:KEPT_AT + 32
  mov %cr3, %eax
  mov %eax, %cs:KEPT_AT + 36
  mov %cr4, %eax
  mov %eax, %cs:KEPT_AT + 40
  mov $0xc0000080, %ecx       /* EFER */
  rdmsr
  mov %eax, %cs:KEPT_AT + 44
  mov %dr6, %eax
  mov %eax, %cs:KEPT_AT + 48
  mov %dr7, %eax
  mov %eax, %cs:KEPT_AT + 52
  mov %cs, %eax
  mov %eax, %cs:KEPT_AT + 56
  mov %ds, %eax
  mov %eax, %cs:KEPT_AT + 60
  mov %fs, %eax
  mov %eax, %cs:KEPT_AT + 64  /* there is no STR in real mode */
  sgdt %cs:KEPT_AT + 72
  sidt %cs:KEPT_AT + 80
  movl $1, %cs:KEPT_AT + 88
1: cli
  hlt
  jmp 1b
  .globl guest_keep16_end
guest_keep16_end:

  .text
  .code32
  .globl guest_keep32
guest_keep32:
  mov %eax, guest_entry_state
  mov %esp, guest_entry_state + 24
  mov $keep32_stack_end, %esp
  call guest_keep_entry_state
  movl $1, guest_kept32
1: cli
  hlt
  jmp 1b

  .code64
/* void guest_run_user(rip, rsp): until a trap's handler goes on at guest_user_back with this stack. */
  .globl guest_run_user
guest_run_user:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, guest_kernel_stack
  pushq $USER_DATA
  push %rsi
  pushq $2
  pushq $USER_CODE
  push %rdi
  iretq
  .globl guest_user_back
guest_user_back:
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret

  .globl guest_user_cpuid, guest_user_done
guest_user_cpuid:
  cpuid
guest_user_done:
  hlt                         /* not for user mode: ends it */

  .bss
  .balign 16
  .skip 256
keep32_stack_end:
  .globl guest_kernel_stack, guest_kept32
guest_kernel_stack: .skip 8
guest_kept32: .skip 4

  .section .note.GNU-stack, "", @progbits
