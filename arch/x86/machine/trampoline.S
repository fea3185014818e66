// Where a starting CPU begins, in real mode, copied to a page below 1 MiB. [intel/sdm3 9.4.4]
//
// The page ends with its parameters: page-table root, stack, entry. Everything is addressed relative to the page.
//
// SPDX-License-Identifier: Apache-2.0

    .section .rodata.trampoline, "a", @progbits
    .globl trampoline_start, trampoline_end, trampoline_parameters
    .balign 16
    .code16
trampoline_start:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    xorl %ebx, %ebx
    movw %ax, %bx
    shll $4, %ebx                                  /* the page's address */
    leal (gdt - trampoline_start)(%ebx), %eax
    movl %eax, (gdt_pointer + 2 - trampoline_start)
    lgdtl (gdt_pointer - trampoline_start)
    leal (protected - trampoline_start)(%ebx), %eax
    movl %eax, (far_protected - trampoline_start)
    leal (long_mode_code - trampoline_start)(%ebx), %eax
    movl %eax, (far_long - trampoline_start)
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl *(far_protected - trampoline_start)

    .code32
protected:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %ss
    movl $0xa0, %eax                               /* PAE, PGE */
    movl %eax, %cr4
    movl (parameters - trampoline_start)(%ebx), %eax
    movl %eax, %cr3
    movl $0xC0000080, %ecx
    rdmsr
    orl $0x900, %eax                               /* LME, NXE */
    wrmsr
    movl $0x80010033, %eax
    movl %eax, %cr0
    ljmpl *(far_long - trampoline_start)(%ebx)

    .code64
long_mode_code:
    movl %ebx, %ebx
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movq (parameters + 8 - trampoline_start)(%rbx), %rsp
    movq (parameters + 16 - trampoline_start)(%rbx), %rax
    xorl %ebp, %ebp
    call *%rax
1:  hlt
    jmp 1b

    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff                       /* 64-bit code */
    .quad 0x00cf93000000ffff                       /* data */
    .quad 0x00cf9b000000ffff                       /* 32-bit code */
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .long 0
    .balign 4
far_protected:
    .long 0
    .word 24
    .balign 4
far_long:
    .long 0
    .word 8
    .balign 8
parameters:
    .quad 0, 0, 0
trampoline_end:
    .set trampoline_parameters, parameters
    .section .note.GNU-stack, "", @progbits
