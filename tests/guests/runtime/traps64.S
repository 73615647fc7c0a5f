/* SPDX-License-Identifier: Apache-2.0 */
/* One stub of 16 octets for each vector: all end in guest_trap() with a TrapFrame on the stack. */
  .text
  .code64
  .balign 16
  .globl guest_trap_stubs
guest_trap_stubs:
vector = 0
  .rept 256
  .balign 16
  .if (vector != 8) && (vector != 10) && (vector != 11) && (vector != 12) && (vector != 13) && (vector != 14) && (vector != 17) && (vector != 21) && (vector != 29) && (vector != 30)
  push $0                     /* the CPU pushes no error code for this vector */
  .endif
  push $vector
  jmp guest_trap_common
vector = vector + 1
  .endr

guest_trap_common:
  push %rax
  push %rcx
  push %rdx
  push %rbx
  push %rbp
  push %rsi
  push %rdi
  push %r8
  push %r9
  push %r10
  push %r11
  push %r12
  push %r13
  push %r14
  push %r15
  cld
  mov %rsp, %rdi
  call guest_trap
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %r11
  pop %r10
  pop %r9
  pop %r8
  pop %rdi
  pop %rsi
  pop %rbp
  pop %rbx
  pop %rdx
  pop %rcx
  pop %rax
  add $16, %rsp
  iretq

  .section .note.GNU-stack, "", @progbits
