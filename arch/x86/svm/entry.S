// AMD-V world switch.
//
// svm_loop(Vcpu* vcpu, GuestRegisters* registers): enters the guest and handles its exits until svm_before_entry() says
// that something else is to be done first. Called and left with GIF 1 and interrupts on. RAX, RSP, RIP and RFLAGS travel
// through the VMCB. Offsets are those of hvm::GuestRegisters (checked in svm.cpp). No register of ours lives across an
// entry, so none is saved there: what the loop needs is on its stack.
//
// SPDX-License-Identifier: Apache-2.0

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
    movq 8(%rsi), %rcx
    movq 16(%rsi), %rdx
    movq 24(%rsi), %rbx
    movq 40(%rsi), %rbp
    movq 56(%rsi), %rdi
    movq 64(%rsi), %r8
    movq 72(%rsi), %r9
    movq 80(%rsi), %r10
    movq 88(%rsi), %r11
    movq 96(%rsi), %r12
    movq 104(%rsi), %r13
    movq 112(%rsi), %r14
    movq 120(%rsi), %r15
    movq 48(%rsi), %rsi
    vmrun %rax
    movq 8(%rsp), %rax                     /* RAX is the VMCB's address again: free */
    movq %rcx, 8(%rax)
    movq %rdx, 16(%rax)
    movq %rbx, 24(%rax)
    movq %rbp, 40(%rax)
    movq %rsi, 48(%rax)
    movq %rdi, 56(%rax)
    movq %r8, 64(%rax)
    movq %r9, 72(%rax)
    movq %r10, 80(%rax)
    movq %r11, 88(%rax)
    movq %r12, 96(%rax)
    movq %r13, 104(%rax)
    movq %r14, 112(%rax)
    movq %r15, 120(%rax)
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
