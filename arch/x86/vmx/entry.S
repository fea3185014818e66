// VT-x world switch.
//
// vmx_loop(Vcpu* vcpu, GuestRegisters* registers): enters the guest and handles its exits until vmx_before_entry() says
// that something else is to be done first. Called and left with interrupts on; the vCPU's VMCS is current. RSP, RIP and
// RFLAGS travel through the VMCS. Offsets are those of hvm::GuestRegisters (checked in entry.cpp). No register of ours
// lives across an entry: what the loop needs is on its stack.
//
// SPDX-License-Identifier: Apache-2.0

#include "arch/x86/hvm/guest_registers.inc"

    .set host_rsp, 0x6c14

    .text
    .globl vmx_loop, vmx_exit
    .balign 16
vmx_loop:
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
    movl $host_rsp, %eax
    vmwrite %rsp, %rax
1:
    movq 16(%rsp), %rdi
    call vmx_before_entry                  /* EAX: 0 stop, interrupts on; 1 launch, 2 resume, interrupts off */
    testl %eax, %eax
    jz 3f
    movq 8(%rsp), %rsi
    cmpl $1, %eax                          /* the flags live until the entry */
    movq 0(%rsi), %rax
    load_guest_registers
    je 2f
    vmresume
    jmp vmx_entry_refused
2:
    vmlaunch
    jmp vmx_entry_refused

    .balign 16
vmx_exit:                                  /* HOST_RIP; RSP as above, interrupts off */
    pushq %rax
    movq 16(%rsp), %rax
    store_guest_registers
    popq 0(%rax)
    leaq 64(%rsp), %rbp                    /* our frame again, for stack traces */
    movq 16(%rsp), %rdi
    call vmx_after_exit                    /* interrupts on again */
    jmp 1b
3:
    addq $24, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret

vmx_entry_refused:
    leaq 64(%rsp), %rbp
    movq 16(%rsp), %rdi
    call vmx_refused                       /* doesn't return */
    ud2
    .section .note.GNU-stack, "", @progbits
