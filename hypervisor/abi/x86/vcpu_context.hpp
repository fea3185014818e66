// Register state of a vCPU: PV's vcpu_guest_context, and the HVM form that VCPUOP_initialise takes
// [xen/public arch-x86/xen-x86_64.h, hvm/hvm_vcpu.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi::x86 {

/// General registers, in the order that the entry code saves them.
struct CpuUserRegs {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    u32 error_code;    ///< private to the hypervisor
    u32 entry_vector;  ///< private to the hypervisor
    u64 rip;
    u16 cs, pad0[1];
    u8 saved_upcall_mask;
    u8 pad1[3];
    u64 rflags;  ///< PV: IF mirrors !saved_upcall_mask
    u64 rsp;
    u16 ss, pad2[3];
    u16 es, pad3[3];
    u16 ds, pad4[3];
    u16 fs, pad5[3];  ///< selectors only: the bases are apart
    u16 gs, pad6[3];
};

/// One PV exception handler (set_trap_table). A vector-0 entry with address 0 ends the list.
struct TrapInfo {
    u8 vector;
    u8 flags;  ///< bits 0–1: lowest privilege that may raise it by software; bit 2: enter with events masked
    u16 cs;
    u64 address;
};

/// VcpuGuestContext::flags.
namespace vgcf {
inline constexpr u64 i387_valid = 1u << 0;
inline constexpr u64 in_kernel = 1u << 2;
inline constexpr u64 failsafe_disables_events = 1u << 3;
inline constexpr u64 syscall_disables_events = 1u << 4;
inline constexpr u64 online = 1u << 5;
inline constexpr u64 in_syscall = 1u << 8;  ///< IretContext::flags: return by SYSRET, rcx and r11 need no restoring
}  // namespace vgcf

/// The state of a PV vCPU, as tools and VCPUOP_initialise give it. Tools also read and write HVM vCPUs' in part.
struct VcpuGuestContext {
    struct {
        u8 x[512];
    } fpu_ctxt;  ///< FXSAVE image
    u64 flags;   ///< vgcf
    CpuUserRegs user_regs;
    TrapInfo trap_ctxt[256];       ///< virtual IDT
    u64 ldt_base, ldt_ents;        ///< linear address, number of entries
    u64 gdt_frames[16], gdt_ents;  ///< machine frames, number of entries
    u64 kernel_ss, kernel_sp;      ///< virtual TSS: only SS1 and SP1
    u64 ctrlreg[8];                ///< CR0–CR7; [1] holds the user page table (as a CR3), 0 if none
    u64 debugreg[8];
    u64 event_callback_eip;
    u64 failsafe_callback_eip;
    u64 syscall_callback_eip;
    u64 vm_assist;  ///< bitmap of VmassistType
    u64 fs_base;
    u64 gs_base_kernel;
    u64 gs_base_user;
};

/// What the iret hypercall finds on the guest's stack.
struct IretContext {
    u64 rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

/// set_segment_base.
enum class SegmentBase : u32 { fs = 0, gs_user = 1, gs_kernel = 2, gs_user_sel = 3 };

/// Selectors of the hypervisor's flat ring-3 segments, which every PV GDT holds from reserved_gdt_page on.
namespace flat_ring3 {
inline constexpr u16 cs32 = 0xe023, cs64 = 0xe033;
inline constexpr u16 ds32 = 0xe02b, ds64 = 0;
inline constexpr u16 ss32 = 0xe02b, ss64 = 0xe02b;
}  // namespace flat_ring3
inline constexpr u32 first_reserved_gdt_page = 14;
inline constexpr u32 first_reserved_gdt_byte = first_reserved_gdt_page * 4096;
inline constexpr u32 first_reserved_gdt_entry = first_reserved_gdt_byte / 8;

/// The hole in a PV guest's address space, and the machine-to-physical table that it may read there (u64 per frame).
inline constexpr u64 hypervisor_virt_start = 0xffff'8000'0000'0000, hypervisor_virt_end = 0xffff'8800'0000'0000;
inline constexpr u64 mach2phys_virt_start = 0xffff'8000'0000'0000, mach2phys_virt_end = 0xffff'8040'0000'0000;

/// PV callbacks are plain addresses here.
using Callback = u64;

/// First state of an HVM or PVH vCPU in 32-bit mode, protected or real. Each `_ar` is VMX-style access rights
/// without the null bit: type, S, DPL, P in bits 0–7, AVL, L, D/B, G in 8–11.
struct VcpuHvmX86_32 {
    u32 eax, ecx, edx, ebx, esp, ebp, esi, edi, eip, eflags;
    u32 cr0, cr3, cr4;
    u32 pad1;
    u64 efer;
    u32 cs_base, ds_base, ss_base, es_base, tr_base;
    u32 cs_limit, ds_limit, ss_limit, es_limit, tr_limit;
    u16 cs_ar, ds_ar, ss_ar, es_ar, tr_ar;
    u16 pad2[3];
};

/// First state in 64-bit mode; segments are flat.
struct VcpuHvmX86_64 {
    u64 rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, rip, rflags;
    u64 cr0, cr3, cr4, efer;
};

enum class VcpuHvmMode : u32 { mode_32b = 0, mode_64b = 1 };

/// VCPUOP_initialise of an HVM or PVH guest.
struct VcpuHvmContext {
    u32 mode;  ///< VcpuHvmMode
    u32 pad;
    union {
        VcpuHvmX86_32 x86_32;
        VcpuHvmX86_64 x86_64;
    } cpu_regs;
};

}  // namespace px::abi::x86
