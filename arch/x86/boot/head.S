// Ways in: by 32-bit protected mode (Multiboot 1, Multiboot 2, PVH) and by EFI. All end in boot_start(protocol, info).
//
// The boot page tables map the first 4 GiB 1:1, at the image's address and at the direct map's, all by 2 MiB pages;
// mm/setup.cpp replaces them.
//
// SPDX-License-Identifier: Apache-2.0

#define PROTOCOL_MULTIBOOT1 1
#define PROTOCOL_MULTIBOOT2 2
#define PROTOCOL_PVH 3

#define MULTIBOOT1_MAGIC 0x1BADB002
#define MULTIBOOT1_FLAGS 0x00010003        /* page-aligned modules, memory map, load addresses given here */
#define MULTIBOOT2_MAGIC 0xE85250D6

    .section .text.boot_header, "ax", @progbits
    .balign 8
    .globl multiboot_header
multiboot_header:
    .long MULTIBOOT1_MAGIC
    .long MULTIBOOT1_FLAGS
    .long -(MULTIBOOT1_MAGIC + MULTIBOOT1_FLAGS)
    .long multiboot_header_load
    .long image_load
    .long image_load_end
    .long image_bss_end
    .long multiboot_entry_load

    .balign 8
multiboot2_header:
    .long MULTIBOOT2_MAGIC
    .long 0                                /* i386 */
    .long multiboot2_header_end - multiboot2_header
    .long -(MULTIBOOT2_MAGIC + (multiboot2_header_end - multiboot2_header))
    /* information request: command line, modules, memory map, ACPI old and new */
    .balign 8
    .short 1, 0
    .long 8 + 5 * 4
    .long 1, 3, 6, 14, 15
    /* where the image is loaded */
    .balign 8
    .short 2, 0
    .long 24
    .long multiboot_header_load + (multiboot2_header - multiboot_header)
    .long image_load
    .long image_load_end
    .long image_bss_end
    /* entry */
    .balign 8
    .short 3, 0
    .long 12
    .long multiboot_entry_load
    /* EFI: boot services stay on (optional), and its own entry (optional) */
    .balign 8
    .short 7, 1
    .long 8
    .balign 8
    .short 9, 1
    .long 12
    .long efi_multiboot2_entry_load
    /* consoles: text of VGA is fine, and so is a framebuffer of any size (optional) */
    .balign 8
    .short 4, 1
    .long 12
    .long 2
    .balign 8
    .short 5, 1
    .long 20
    .long 0, 0, 0
    /* modules page-aligned */
    .balign 8
    .short 6, 0
    .long 8
    .balign 8
    .short 0, 0
    .long 8
multiboot2_header_end:

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18                         /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long pvh_entry_load

    .section .text.boot, "ax", @progbits
    .code32
    .globl multiboot_entry, pvh_entry
#define LOAD(symbol) (symbol - 0xffff828000000000)   /* image_virtual of xen.lds */

multiboot_entry:
    cld
    cli
    movl $PROTOCOL_MULTIBOOT1, %edi
    cmpl $0x2BADB002, %eax
    je 1f
    movl $PROTOCOL_MULTIBOOT2, %edi
    cmpl $0x36D76289, %eax
    je 1f
2:  hlt
    jmp 2b

pvh_entry:
    cld
    cli
    movl $PROTOCOL_PVH, %edi
1:  movl %ebx, %esi
    movl $LOAD(boot_stack_top), %esp

    movl $0x80000001, %eax
    cpuid
    btl $29, %edx                          /* long mode */
    jnc 2b
    movl %edx, %ebp

    /* 2048 entries of 2 MiB: identity for 4 GiB */
    movl $LOAD(boot_page_directories), %edx
    movl $0x83, %eax
    xorl %ecx, %ecx
3:  movl %eax, (%edx, %ecx, 8)
    movl $0, 4(%edx, %ecx, 8)
    addl $0x200000, %eax
    incl %ecx
    cmpl $2048, %ecx
    jne 3b
    /* one table of level 3, shared by the identity map and the image's slot */
    movl $LOAD(boot_level3), %edx
    movl $(LOAD(boot_page_directories) + 3), %eax
    xorl %ecx, %ecx
4:  movl %eax, (%edx, %ecx, 8)
    addl $4096, %eax
    incl %ecx
    cmpl $4, %ecx
    jne 4b
    movl $LOAD(boot_level4), %edx
    movl $(LOAD(boot_level3) + 3), (%edx)
    movl $(LOAD(boot_level3) + 3), 261 * 8(%edx)
    movl $(LOAD(boot_level3) + 3), 264 * 8(%edx)

    movl $LOAD(boot_level4), %eax
    movl %eax, %cr3
    movl $0x20, %eax                       /* CR4.PAE */
    movl %eax, %cr4
    movl $0xC0000080, %ecx                 /* EFER */
    rdmsr
    orl $0x100, %eax                       /* LME */
    btl $20, %ebp
    jnc 5f
    orl $0x800, %eax                       /* NXE */
5:  wrmsr
    movl $0x80010033, %eax                 /* PG, WP, NE, ET, MP, PE */
    movl %eax, %cr0
    lgdtl LOAD(boot_gdt_pointer)
    ljmpl $8, $LOAD(long_mode)

    .code64
long_mode:
    movabsq $6f, %rax
    jmp *%rax
6:  lgdt boot_gdt_pointer64(%rip)
    leaq boot_stack_top(%rip), %rsp
    pushq $8
    leaq 7f(%rip), %rax
    pushq %rax
    lretq                                  /* EFI's code segment has another number */
7:  xorl %eax, %eax
    movl $16, %ecx
    movl %ecx, %ss
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    leaq boot_stack_top(%rip), %rsp
    movl %edi, %edi
    movl %esi, %esi
    xorl %ebp, %ebp
    call boot_start
8:  hlt
    jmp 8b

/* By the firmware: image handle, system table; its calling convention. [uefi 2.3.4] */
    .globl efi_entry, efi_multiboot2_entry, efi_leave
efi_entry:
    pushq %rbp
    pushq %rdi
    pushq %rsi                             /* and the stack is aligned again */
    movq %rcx, %rdi
    movq %rdx, %rsi
    call efi_main
    popq %rsi
    popq %rdi
    popq %rbp
    ret

/* By GRUB with boot services on: EBX the information. [multiboot2 2.0, 3.5] */
efi_multiboot2_entry:
    cld
    andq $-16, %rsp
    movl %ebx, %edi
    call efi_multiboot2_main
8:  hlt
    jmp 8b

/* efi_leave(root, protocol, info): boot services have ended. Runs at an address that both page tables map alike. */
efi_leave:
    cli
    cld
    movq %rdi, %r8
    movl %esi, %edi
    movl %edx, %esi
    movl $0x80000001, %eax
    cpuid
    movl %edx, %r9d
    movl $0xC0000080, %ecx                 /* EFER */
    rdmsr
    btl $20, %r9d
    jnc 9f
    orl $0x800, %eax                       /* NXE */
    wrmsr
9:  movl $0x20, %eax                       /* PAE alone */
    movq %rax, %cr4
    movl $0x80010033, %eax                 /* PG, WP, NE, ET, MP, PE */
    movq %rax, %cr0
    movq %r8, %cr3
    jmp long_mode

    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff               /* 64-bit code */
    .quad 0x00cf93000000ffff               /* data */
boot_gdt_end:
boot_gdt_pointer:
    .short boot_gdt_end - boot_gdt - 1
    .long LOAD(boot_gdt)
boot_gdt_pointer64:
    .short boot_gdt_end - boot_gdt - 1
    .quad boot_gdt

    .section .bss.boot_stack, "aw", @nobits
    .balign 4096                           /* xen.lds aligns it to its size: file offsets stay linear */
    .globl boot_stack
boot_stack:
    .skip 65536 - 16
    .globl boot_stack_top
boot_stack_top:
    .skip 16                               /* the block's PerCpu pointer: arch/per_cpu.hpp */
    .globl boot_level4
    .balign 4096
boot_level4:
    .skip 4096
boot_level3:
    .skip 4096
boot_page_directories:
    .skip 4 * 4096
    .section .note.GNU-stack, "", @progbits
