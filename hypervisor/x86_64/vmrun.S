// SPDX-License-Identifier: Apache-2.0
// run_guest (guest_registers.hpp). APM volume 2, section 15.5: VMRUN swaps RAX, RSP, RIP, RFLAGS, CS SS DS ES, control
// registers; VMLOAD and VMSAVE the other segments and the syscall MSRs; the rest is done here.

    .section .text.hot, "ax"
    .balign 64
    .globl run_guest
run_guest:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdx                          // host VMCB
    push %rdi                          // guest registers
    mov %rsi, %rax
    mov 0(%rdi), %rcx
    mov 8(%rdi), %rdx
    mov 16(%rdi), %rbx
    mov 24(%rdi), %rbp
    mov 32(%rdi), %rsi
    mov 48(%rdi), %r8
    mov 56(%rdi), %r9
    mov 64(%rdi), %r10
    mov 72(%rdi), %r11
    mov 80(%rdi), %r12
    mov 88(%rdi), %r13
    mov 96(%rdi), %r14
    mov 104(%rdi), %r15
    mov 40(%rdi), %rdi
    clgi                               // from here to STGI nothing interrupts, but pending interrupts end the turn:
    sti                                // with V_INTR_MASKING it is this IF that lets them
    vmload %rax
    vmrun %rax
    vmsave %rax
    mov 8(%rsp), %rax
    vmload %rax
    cli
    stgi
    xchg %rdi, (%rsp)
    mov %rcx, 0(%rdi)
    mov %rdx, 8(%rdi)
    mov %rbx, 16(%rdi)
    mov %rbp, 24(%rdi)
    mov %rsi, 32(%rdi)
    pop 40(%rdi)
    mov %r8, 48(%rdi)
    mov %r9, 56(%rdi)
    mov %r10, 64(%rdi)
    mov %r11, 72(%rdi)
    mov %r12, 80(%rdi)
    mov %r13, 88(%rdi)
    mov %r14, 96(%rdi)
    mov %r15, 104(%rdi)
    pop %rdx
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

    .section .note.GNU-stack, "", @progbits
