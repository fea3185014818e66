// The way into a tiny PV kernel: its notes, its entry, the stubs of its trap table, and system calls of its users.
//
// SPDX-License-Identifier: Apache-2.0

    .macro note type
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:
    .endm

    .section .note.Xen, "a", @note
    note 6                              // guest_os
    .asciz "tiny"
2:  note 5                              // xen_version
    .asciz "xen-3.0"
2:  note 8                              // loader
    .asciz "generic"
2:  note 3                              // virt_base
    .quad VIRT_BASE
2:  note 4                              // paddr_offset: the ELF header says virtual addresses
    .quad VIRT_BASE
2:  note 1                              // entry
    .quad pv_entry
2:  note 2                              // hypercall_page
    .quad hypercall_page
2:  note 9                              // pae_mode
    .asciz "yes"
2:
    .set syscall_frame_flags, 0

    .section .text.entry, "ax"
    .globl pv_entry
pv_entry:
    cld
    mov $boot_stack_top, %rsp
    mov %rsi, %rdi
    xor %ebp, %ebp
    call guest_start
    ud2

    .balign 4096
    .globl hypercall_page
hypercall_page:
    .skip 4096

    .section .text
#define HAS_ERROR_CODE(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21 || (v) == 29 || (v) == 30)
// The frame begins with rcx and r11; the rest is as an interrupt's.
    .balign 32
    .globl interrupt_stubs
interrupt_stubs:
    .set vector, 0
    .rept 256
    .balign 32
    pop %rcx
    pop %r11
    .if !HAS_ERROR_CODE(vector)
    push $0
    .endif
    push $vector
    jmp interrupt_common
    .set vector, vector + 1
    .endr

    .macro save
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
    mov %rsp, %rdi
    mov %rsp, %rbp
    and $-16, %rsp
    cld
    .endm
    .macro restore
    mov %rbp, %rsp
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
    .endm

interrupt_common:
    save
    call on_interrupt
    restore
    add $8, %rsp
    movq $0, (%rsp)                     // flags: not from a system call, so rcx and r11 count
    jmp hypercall_page + 23 * 32        // iret

// Events; the failsafe callback (with ds, es, fs, gs before the rest); system calls of users.
    .globl event_entry, failsafe_entry, syscall_entry
    .balign 16
event_entry:
    pop %rcx
    pop %r11
    push $0
    push $0x100
    jmp interrupt_common
    .balign 16
failsafe_entry:
    add $32, %rsp
    pop %rcx
    pop %r11
    push $0
    push $0x101
    jmp interrupt_common
    .balign 16
syscall_entry:
    pop %rcx
    pop %r11
    push $0
    push $0x102
    save
    call on_interrupt
    restore
    add $8, %rsp
    movq $0x100, (%rsp)                 // VGCF_in_syscall: rcx and r11 needn't come back
    jmp hypercall_page + 23 * 32

// enter_user(frame): to users by the hypercall iret, with the frame's words; leave_user() returns from it.
    .globl enter_user, leave_user
    .balign 16
enter_user:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, user_resume
    push 40(%rdi)
    push 32(%rdi)
    push 24(%rdi)
    push 16(%rdi)
    push 8(%rdi)
    push (%rdi)
    jmp hypercall_page + 23 * 32
    .balign 16
leave_user:
    mov user_resume, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .section .bss
    .balign 8
user_resume: .skip 8
    .balign 4096
boot_stack:       .skip 4 * 4096
boot_stack_top:
    .section .note.GNU-stack, "", @progbits
