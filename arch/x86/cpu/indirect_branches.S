// Where the compiler's indirect calls and jumps go through: a plain jump, or at boot a retpoline in its place.
//
// SPDX-License-Identifier: Apache-2.0

// Both sets have one shape, a slot of 32 bytes for each register, and no address in them: one can be copied over the other.
.macro for_each_register what:req
    .irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    .balign 32, 0xcc
    \what \register
    .endr
    .balign 32, 0xcc
.endm

.macro plain_jump register:req
    .globl __x86_indirect_thunk_\register
    .hidden __x86_indirect_thunk_\register
    .type __x86_indirect_thunk_\register, @function
__x86_indirect_thunk_\register:
    jmp *%\register
.endm

// The return is predicted to the loop, so nothing that anybody trained steers speculation. [intel/retpoline]
.macro retpoline register:req
    call 2f
1:  pause
    lfence
    jmp 1b
2:  mov %\register, (%rsp)
    ret
.endm

    .section .text.indirect_branches, "ax", @progbits
    .globl indirect_branches, indirect_branches_end, indirect_branch_retpolines, indirect_branch_retpolines_end
    .hidden indirect_branches, indirect_branches_end, indirect_branch_retpolines, indirect_branch_retpolines_end
    .balign 32
indirect_branches:
    for_each_register plain_jump
indirect_branches_end:
indirect_branch_retpolines:
    for_each_register retpoline
indirect_branch_retpolines_end:

    .section .note.GNU-stack, "", @progbits
