// The ways between the hypervisor and a PV guest in ring 3.
//
// While a vCPU runs, TSS.RSP0 and the CPU's slot below name the end of its EntryArea's frame: its registers are pushed there, and stay there.
// %rbx is the area for as long as the hypervisor works for it; the CPU's stack goes on where pv_enter() was called.
//
// SPDX-License-Identifier: Apache-2.0

    .set frame_r15, 0
    .set frame_rbx, 88
    .set frame_rcx, 104
    .set frame_rip, 136
    .set frame_cs, 144
    .set frame_rflags, 152
    .set frame_rsp, 160
    .set frame_ss, 168
    .set area_host_stack, 176

    .set user_data, 0xe02b                 /* selector:: of cpu/descriptors.hpp */
    .set user_code32, 0xe023
    .set user_code, 0xe033
    .set syscall_vector, 0x100

    .set most_cpus, 256
    .set leave_guest, 0                    /* enum class Way of run.cpp */
    .set by_sysret, 2

    .macro save_registers
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
    .endm

    /* From %rbx, all but %rbx itself, %rsp and, where SYSRET wants them, %rcx and %r11. */
    .macro load_registers
    movq 0(%rbx), %r15
    movq 8(%rbx), %r14
    movq 16(%rbx), %r13
    movq 24(%rbx), %r12
    movq 40(%rbx), %r10
    movq 48(%rbx), %r9
    movq 56(%rbx), %r8
    movq 64(%rbx), %rdi
    movq 72(%rbx), %rsi
    movq 80(%rbx), %rbp
    movq 96(%rbx), %rdx
    movq 112(%rbx), %rax
    .endm

    /* What a guest left in registers steers nothing that is speculated from here on. */
    .macro forget_registers
    xorl %eax, %eax
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %esi, %esi
    xorl %ebp, %ebp
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    xorl %r12d, %r12d
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    .endm

    .text
/* pv_enter(area): runs the guest until before_entry() says to leave. Interrupts on before and after. */
    .globl pv_enter
    .balign 16
pv_enter:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rdi                             /* for pv_iret_fault, and the alignment */
    movq %rdi, %rbx
    movq %rsp, area_host_stack(%rbx)

pv_resume:
    cli
    movq %rbx, %rdi
    call pv_before_entry
    cmpl $by_sysret, %eax
    je 2f
    testl %eax, %eax
    jz 3f
    pushq frame_ss(%rbx)
    pushq frame_rsp(%rbx)
    pushq frame_rflags(%rbx)
    pushq frame_cs(%rbx)
    pushq frame_rip(%rbx)
    load_registers
    movq 32(%rbx), %r11
    movq frame_rcx(%rbx), %rcx
    movq frame_rbx(%rbx), %rbx
1:  iretq
    .pushsection .exception_table, "a"
    .quad 1b, pv_iret_fault
    .popsection

    /* The address is canonical, the segments are flat. From the new stack pointer on, only what has a stack of its own may interrupt. */
2:  load_registers
    movq frame_rip(%rbx), %rcx
    movq frame_rflags(%rbx), %r11
    movq frame_rsp(%rbx), %rsp
    movq frame_rbx(%rbx), %rbx
    sysretq

3:  sti
    popq %rdi
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/* IRETQ has refused the frame: the guest's selectors or addresses. Its five words are still on the stack. */
pv_iret_fault:
    movq 40(%rsp), %rbx
    movq area_host_stack(%rbx), %rsp
    forget_registers
    movq %rbx, %rdi
    call pv_return_failed
    jmp pv_resume

/* Every trap of ring 3 but those with stacks of their own: vector and error code are pushed. */
    .globl pv_trap_entry
    .balign 16
pv_trap_entry:
    cld
    save_registers
    movq %rsp, %rbx
    movq area_host_stack(%rsp), %rsp
    forget_registers
    movq %rbx, %rdi
    call pv_handle_trap
    jmp pv_resume

/* #DB of ring 3, on its own stack: the frame moves to the vCPU's. */
    .globl pv_debug_entry
    .balign 16
pv_debug_entry:
    cld
    save_registers
    movq %rsp, %rdi
    call pv_take_debug_frame
    movq %rax, %rbx
    movq area_host_stack(%rbx), %rsp
    forget_registers
    movq %rbx, %rdi
    call pv_handle_trap
    jmp pv_resume

    .balign 16
pv_syscall_common32:
    pushq %r11
    pushq $user_code32
    jmp 1f
    .balign 16
pv_syscall_common:
    pushq %r11
    pushq $user_code
1:  pushq %rcx
    pushq $0
    pushq $syscall_vector
    save_registers
    movq %rsp, %rbx
    movq area_host_stack(%rsp), %rsp
    forget_registers
    movq %rbx, %rdi
    call pv_handle_syscall
    jmp pv_resume

/* SYSCALL changes neither stack nor GS, and both are the guest's: each CPU has an entry of its own, which knows its slot. */
    .macro syscall_entries name, common
    .globl \name
    .balign 32
\name:
    cpu = 0
    .rept most_cpus
    .balign 32
    movq %rsp, pv_slots + cpu * 64 + 8(%rip)
    movq pv_slots + cpu * 64(%rip), %rsp
    pushq $user_data
    pushq pv_slots + cpu * 64 + 8(%rip)
    jmp \common
    cpu = cpu + 1
    .endr
    .endm

    syscall_entries pv_syscall_entries, pv_syscall_common
    syscall_entries pv_syscall_entries32, pv_syscall_common32

    .bss
    .globl pv_slots
    .balign 64
pv_slots:
    .skip most_cpus * 64
    .section .note.GNU-stack, "", @progbits
