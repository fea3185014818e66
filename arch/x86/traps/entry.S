// Interrupt and exception entry: 256 stubs, one common path for the hypervisor's own context. Traps of a PV guest's rings go on in
// pv/machine/entry.S, but for those that come on stacks of their own. (AMD-V and VT-x exits return to a function.)
//
// SPDX-License-Identifier: Apache-2.0

    .text
    .globl trap_stubs
    .balign 16
trap_stubs:
    vector = 0
    .rept 256
    .balign 16
    .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
    .else
    pushq $0
    .endif
    pushq $vector
    .if (vector == 1)
    jmp trap_debug
    .elseif (vector == 2) || (vector == 8) || (vector == 18)
    jmp trap_here
    .else
    jmp trap_common
    .endif
    vector = vector + 1
    .endr

    /* Of vector, error code, rip, cs … the last says who was interrupted. */
trap_debug:
    testb $3, 24(%rsp)
    jnz pv_debug_entry
    jmp trap_here
trap_common:
    testb $3, 24(%rsp)
    jnz pv_trap_entry
trap_here:
    cld
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, %rdi
    movq %rsp, %rbp
    andq $-16, %rsp
    call handle_trap
    movq %rbp, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp
    iretq
    .section .note.GNU-stack, "", @progbits
