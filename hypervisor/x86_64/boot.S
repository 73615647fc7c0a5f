// SPDX-License-Identifier: Apache-2.0
// From the boot loader's 32-bit PVH entry (public/arch-x86/hvm/start_info.h) and from the other processors' INIT-SIPI to
// long mode. Paging starts with the final tables: each page of the image has one of read-execute, read or read-write,
// all other memory is read-write and never executed. memory.cpp adds what lies above 4 GiB.

#define CR0_LONG 0x80050033            // PG AM WP NE ET MP PE
#define CR4_LONG 0x6b0                 // OSXMMEXCPT OSFXSR PGE PAE PSE (and MCE clear)
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define PTE_PRESENT 0x001
#define PTE_TABLE 0x023                // present, writable, accessed
#define PTE_RX 0x021
#define PTE_RW 0x063                   // present, writable, accessed, dirty
#define PTE_LARGE 0x0e3                // PTE_RW and a large page
#define PTE_UNCACHED 0x018             // PWT, PCD
#define PTE_NX_HIGH 0x80000000         // bit 63, in the upper half
#define IMAGE 0x200000
#define SELECTOR_CODE64 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_CODE32 0x18

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 8, 18                     // XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad pvh_start

    .section .text.boot, "ax"
    .code32
    .globl pvh_start
pvh_start:
    cli
    cld
    mov %ebx, start_info_address

    // pml4[0] -> pdpt; pdpt[0] -> pd; pdpt[1..3] 1 GiB pages, the last one uncached (LAPIC and IOAPIC; RAM under
    // 4 GiB ends at 3 GiB on this machine); pd[1], pd[2] -> the image's 4 KiB tables; other pd entries 2 MiB pages.
    movl $pdpt + PTE_TABLE, pml4
    movl $pd + PTE_TABLE, pdpt
    mov $1, %ecx
1:  mov %ecx, %eax
    shl $30, %eax
    or $PTE_LARGE, %eax
    cmp $3, %ecx
    jne 2f
    or $PTE_UNCACHED, %eax
2:  mov %eax, pdpt(, %ecx, 8)
    movl $PTE_NX_HIGH, pdpt + 4(, %ecx, 8)
    inc %ecx
    cmp $4, %ecx
    jb 1b

    xor %ecx, %ecx
3:  mov %ecx, %eax
    shl $21, %eax
    or $PTE_LARGE, %eax
    mov %eax, pd(, %ecx, 8)
    movl $PTE_NX_HIGH, pd + 4(, %ecx, 8)
    inc %ecx
    cmp $512, %ecx
    jb 3b
    movl $page_tables + PTE_TABLE, pd + 8
    movl $0, pd + 12
    movl $page_tables + 4096 + PTE_TABLE, pd + 16
    movl $0, pd + 20

    xor %ecx, %ecx
4:  mov %ecx, %eax
    shl $12, %eax
    add $IMAGE, %eax
    mov $PTE_NX_HIGH, %edx
    cmp $text_end, %eax
    jb 5f
    cmp $rodata_end, %eax
    jb 6f
    or $PTE_RW, %eax
    jmp 7f
5:  xor %edx, %edx
6:  or $PTE_RX, %eax
7:  mov %eax, page_tables(, %ecx, 8)
    mov %edx, page_tables + 4(, %ecx, 8)
    inc %ecx
    cmp $1024, %ecx
    jb 4b

    mov $boot_cpu, %edi

// EDI: this processor's PerCpu, whose first word is the top of its stack.
enter_long_mode:
    mov $CR4_LONG, %eax
    mov %eax, %cr4
    mov $pml4, %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    xor %edx, %edx
    mov $EFER_LME_NXE, %eax
    wrmsr
    mov $CR0_LONG, %eax
    mov %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $SELECTOR_CODE64, $start64

    .code64
start64:
    mov $SELECTOR_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov %edi, %edi                     // the upper half is undefined after the switch
    mov (%rdi), %rsp
    xor %ebp, %ebp
    push $0                            // the end of the chain of return addresses
    jmp cpu_start

    .code32
ap_start32:
    mov $SELECTOR_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov ap_cpu, %edi
    jmp enter_long_mode

// Copied to a page under 1 MiB; a started processor begins at its first byte in real mode.
    .section .rodata, "a"
    .code16
    .globl ap_trampoline, ap_trampoline_end
ap_trampoline:
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    lgdtl trampoline_gdt_pointer - ap_trampoline
    mov $1, %eax
    mov %eax, %cr0
    ljmpl $SELECTOR_CODE32, $ap_start32
    .balign 4
trampoline_gdt_pointer:
    .short boot_gdt_end - boot_gdt - 1
    .long boot_gdt
ap_trampoline_end:

    .balign 8
boot_gdt:                              // accessed bits are set: the table is read-only
    .quad 0
    .quad 0x00af9b000000ffff           // 64-bit code
    .quad 0x00cf93000000ffff           // data
    .quad 0x00cf9b000000ffff           // 32-bit code
boot_gdt_end:
boot_gdt_pointer:
    .short boot_gdt_end - boot_gdt - 1
    .long boot_gdt

    .section .bss.page, "aw", @nobits
    .balign 4096
    .globl pml4, pdpt, page_tables
pml4:        .skip 4096
pdpt:        .skip 4096
pd:          .skip 4096
page_tables: .skip 2 * 4096            // [2 MiB, 6 MiB)

    .section .bss, "aw", @nobits
    .balign 8
    .globl start_info_address, ap_cpu
start_info_address: .skip 8
ap_cpu:             .skip 8            // the PerCpu of the processor that is being started

    .section .note.GNU-stack, "", @progbits
