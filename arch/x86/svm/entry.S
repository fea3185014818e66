// AMD-V world switch.
//
// svm_loop(Vcpu* vcpu, GuestRegisters* registers): enters the guest and handles its exits until svm_before_entry() says
// that something else is to be done first. Called and left with GIF 1 and interrupts on. RAX, RSP, RIP and RFLAGS travel
// through the VMCB. Offsets are those of hvm::GuestRegisters (checked in svm.cpp). No register of ours lives across an
// entry, so none is saved there: what the loop needs is on its stack.
//
// SPDX-License-Identifier: Apache-2.0

#include "arch/x86/hvm/guest_registers.inc"

    .text
    .globl svm_loop
    .balign 16
svm_loop:
    pushq %rbp
    movq %rsp, %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rdi                             /* 16(%rsp) below: the vCPU */
    pushq %rsi                             /* 8(%rsp) below: its registers */
    subq $8, %rsp                          /* calls want the stack aligned */
1:
    movq 16(%rsp), %rdi
    call svm_before_entry                  /* RAX: the VMCB's physical address, GIF 0; or 0, GIF 1 */
    testq %rax, %rax
    jz 2f
    movq 8(%rsp), %rsi
    load_guest_registers
    vmrun %rax
    movq 8(%rsp), %rax                     /* RAX is the VMCB's address again: free */
    store_guest_registers
    leaq 64(%rsp), %rbp                    /* our frame again, for stack traces */
    movq 16(%rsp), %rdi
    call svm_after_exit                    /* GIF 1 again */
    jmp 1b
2:
    addq $24, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .section .note.GNU-stack, "", @progbits
