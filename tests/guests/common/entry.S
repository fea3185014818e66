// The way into a tiny kernel: the PVH note, 32-bit entry, page tables, long mode, interrupt stubs, and the start of an AP.
//
// SPDX-License-Identifier: Apache-2.0

#define ELFNOTE_PHYS32_ENTRY 18
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define CR0_PE_MP_NE_WP_PG 0x80010023
#define CR4_PAE_OSFXSR_OSXMMEXCPT 0x620
#define PTE_PRESENT_WRITE 0x3
#define PDE_PRESENT_WRITE_2M 0x83

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long pvh_entry

// [xen/public arch-x86/hvm/start_info.h]: 32-bit flat, paging off, ebx = physical address of the start info.
    .section .text.entry, "ax"
    .code32
    .globl pvh_entry
pvh_entry:
    cld
    cli
    mov $boot_stack_top, %esp
    mov %ebx, %esi

    // Identity map of the first 4 GiB in 2 MiB pages: four page directories, one pointer table, one root.
    mov $page_directories, %edi
    mov $PDE_PRESENT_WRITE_2M, %eax
1:  mov %eax, (%edi)
    movl $0, 4(%edi)
    add $8, %edi
    add $0x200000, %eax
    jnc 1b                              // wraps to a carry after the last of the 4 GiB
    mov $page_directories + PTE_PRESENT_WRITE, %eax
    mov $page_pointers, %edi
    mov $4, %ecx
2:  mov %eax, (%edi)
    add $0x1000, %eax
    add $8, %edi
    loop 2b
    movl $page_pointers + PTE_PRESENT_WRITE, page_root

    call enter_long_mode_32
    .code64
    mov %esi, %edi
    xor %ebp, %ebp
    call guest_start
    ud2

// Turns on 64-bit mode and returns in it (a 32-bit call, so the return address is 4 bytes). Clobbers eax, ecx, edx.
    .code32
enter_long_mode_32:
    mov $CR4_PAE_OSFXSR_OSXMMEXCPT, %eax
    mov %eax, %cr4
    mov $page_root, %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    xor %edx, %edx
    mov $EFER_LME_NXE, %eax
    wrmsr
    mov $CR0_PE_MP_NE_WP_PG, %eax
    mov %eax, %cr0
    lgdt gdt_pointer
    pop %edx
    ljmp $0x8, $3f
    .code64
3:  mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %edx, %edx
    jmp *%rdx

// An AP begins here after INIT-SIPI: copied to `ap_trampoline_page` by smp.cpp, runs in real mode with cs = page << 8.
    .globl ap_trampoline, ap_trampoline_end
    .code16
ap_trampoline:
    cli
    mov %cs, %ax
    mov %ax, %ds
    lgdtl gdt_pointer_copy - ap_trampoline
    mov $1, %eax
    mov %eax, %cr0
    ljmpl $0x18, $ap_protected
    .balign 8
gdt_pointer_copy:
    .word gdt_end - gdt - 1
    .long gdt
ap_trampoline_end:

    .code32
ap_protected:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov ap_stack, %esp
    call enter_long_mode_32
    .code64
    // Also where VCPUOP_initialise starts an AP: in 64-bit mode, with flat segments but no descriptor table.
    .globl ap_entry_64
ap_entry_64:
    mov ap_stack, %rsp
    lgdt gdt_pointer
    push $0x8
    push $1f
    lretq
1:  mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %ebp, %ebp
    call ap_start
    ud2

    .section .text
    .code64
// One 16-byte stub per vector: the error code (0 where the CPU pushes none), the vector, then the common part.
#define HAS_ERROR_CODE(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21 || (v) == 29 || (v) == 30)
    .balign 16
    .globl interrupt_stubs
interrupt_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if !HAS_ERROR_CODE(vector)
    push $0
    .endif
    push $vector
    jmp interrupt_common
    .set vector, vector + 1
    .endr

interrupt_common:
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
    call on_interrupt
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
    add $16, %rsp
    iretq

// The three ways to make a hypercall; each is called with the ABI's registers set (rax = number).
    .globl hypercall_vmmcall, hypercall_vmcall
    .balign 16
hypercall_vmmcall:
    vmmcall
    ret
    .balign 16
hypercall_vmcall:
    vmcall
    ret

    .section .data
    .balign 16
    .globl gdt
gdt:
    .quad 0
    .quad 0x00af9b000000ffff            // 0x08: 64-bit code
    .quad 0x00cf93000000ffff            // 0x10: data
    .quad 0x00cf9b000000ffff            // 0x18: 32-bit code
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .quad gdt

    .section .bss
    .balign 4096
    .globl page_root
page_root:        .skip 4096
page_pointers:    .skip 4096
page_directories: .skip 4 * 4096
boot_stack:       .skip 4 * 4096
boot_stack_top:
    .section .note.GNU-stack, "", @progbits
