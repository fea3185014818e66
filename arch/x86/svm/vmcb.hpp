// The virtual machine control block. [amd/apm2 appendix B]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "arch/x86/hvm/registers.hpp"
#include "hypervisor/base/types.hpp"

namespace px::svm {

/// Bits of Vmcb::intercepts3 and intercepts4 [amd/apm2 15.9].
namespace intercept3 {
inline constexpr u32 intr = 1u << 0, nmi = 1u << 1, smi = 1u << 2, init = 1u << 3, vintr = 1u << 4, rdtsc = 1u << 14, rdpmc = 1u << 15,
                     cpuid = 1u << 18, iret = 1u << 20, invd = 1u << 22, pause = 1u << 23, hlt = 1u << 24, invlpg = 1u << 25,
                     invlpga = 1u << 26, io = 1u << 27, msr = 1u << 28, task_switch = 1u << 29, shutdown = 1u << 31;
}
namespace intercept4 {
inline constexpr u32 vmrun = 1u << 0, vmmcall = 1u << 1, vmload = 1u << 2, vmsave = 1u << 3, stgi = 1u << 4, clgi = 1u << 5,
                     skinit = 1u << 6, rdtscp = 1u << 7, wbinvd = 1u << 9, monitor = 1u << 10, mwait = 1u << 11, xsetbv = 1u << 13,
                     rdpru = 1u << 14;
}

/// Vmcb::exit_code [amd/apm2 appendix C].
enum class Exit : u64 {
    cr0_write = 0x10,
    cr4_write = 0x14,
    cr8_write = 0x18,
    dr0_read = 0x20,
    dr7_read = 0x27,
    dr0_write = 0x30,
    dr7_write = 0x37,
    exception = 0x40,
    machine_check = 0x52,
    intr = 0x60,
    nmi = 0x61,
    smi = 0x62,
    init = 0x63,
    vintr = 0x64,
    rdtsc = 0x6e,
    rdpmc = 0x6f,
    cpuid = 0x72,
    iret = 0x74,
    invd = 0x76,
    pause = 0x77,
    hlt = 0x78,
    invlpg = 0x79,
    invlpga = 0x7a,
    io = 0x7b,
    msr = 0x7c,
    task_switch = 0x7d,
    shutdown = 0x7f,
    vmrun = 0x80,
    vmmcall = 0x81,
    vmload = 0x82,
    vmsave = 0x83,
    stgi = 0x84,
    clgi = 0x85,
    skinit = 0x86,
    rdtscp = 0x87,
    wbinvd = 0x89,
    monitor = 0x8a,
    mwait = 0x8b,
    xsetbv = 0x8d,
    rdpru = 0x8e,
    nested_page_fault = 0x400,
    invalid = ~u64{0},
};

/// Vmcb::clean: parts that the CPU may keep from the last entry [amd/apm2 15.15.3].
namespace clean {
inline constexpr u32 intercepts = 1u << 0, io_msr = 1u << 1, asid = 1u << 2, tpr = 1u << 3, nested = 1u << 4, cr = 1u << 5, dr = 1u << 6,
                     tables = 1u << 7, segments = 1u << 8, cr2 = 1u << 9, lbr = 1u << 10;
inline constexpr u32 all = 0x7ff;
}  // namespace clean

/// Vmcb::event_injection and exit_interrupt_info [amd/apm2 15.20].
namespace injection {
inline constexpr u64 valid = u64{1} << 31, has_error = u64{1} << 11;
inline constexpr u64 type_interrupt = 0, type_nmi = 2, type_exception = 3, type_software = 4;
constexpr u64 type_of(u64 value) { return value >> 8 & 7; }
}  // namespace injection

/// Vmcb::interrupt_control (060h).
namespace virtual_interrupt {
inline constexpr u64 tpr_mask = 0xf, pending = 1u << 8, gif = 1u << 9, ignore_tpr = 1u << 20, masking = 1u << 24, gif_enable = 1u << 25;
inline constexpr unsigned vector_shift = 32;
inline constexpr u64 vector_mask = u64{0xff} << vector_shift;
}  // namespace virtual_interrupt

/// Vmcb::exit_info1 of an intercepted write of a control register, with decode assists [amd/apm2 15.8.1].
struct ControlMove {
    bool is_move;     ///< MOV; else another instruction (LMSW, CLTS)
    unsigned source;  ///< general register
    constexpr explicit ControlMove(u64 info) : is_move(info >> 63 != 0), source(info & 15) {}
};

enum class TlbControl : u8 { none = 0, flush_all = 1, flush_asid = 3 };

struct VmcbSegment {
    u16 selector, attributes;
    u32 limit;
    u64 base;
};

struct alignas(4096) Vmcb {
    u16 cr_read, cr_write, dr_read, dr_write;
    u32 exceptions, intercepts3, intercepts4, intercepts5;
    u8 reserved0[0x3c - 0x18];
    u16 pause_threshold, pause_count;
    u64 io_bitmap, msr_bitmap, tsc_offset;
    u32 asid;
    TlbControl tlb_control;
    u8 reserved1[3];
    u64 interrupt_control, interrupt_shadow, exit_code, exit_info1, exit_info2, exit_interrupt_info;
    u64 nested_enable, avic_bar, ghcb, event_injection, nested_cr3, lbr_enable;
    u32 clean_bits, reserved2;
    u64 next_rip;
    u8 fetched_count, fetched[15];  ///< of a nested page fault, with decode assists [amd/apm2 15.8.4]
    u8 reserved3[0x400 - 0xe0];
    VmcbSegment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    u8 reserved4[0x4cb - 0x4a0];
    u8 cpl;
    u32 reserved5;
    u64 efer;
    u8 reserved6[0x548 - 0x4d8];
    u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
    u8 reserved7[0x5d8 - 0x580];
    u64 rsp, s_cet, ssp, isst_addr, rax, star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip, cr2;
    u8 reserved8[0x668 - 0x648];
    u64 pat, debug_control, branch_from, branch_to, exception_from, exception_to;
    u8 reserved9[0x1000 - 0x698];
};
static_assert(sizeof(Vmcb) == 4096);
static_assert(offsetof(Vmcb, io_bitmap) == 0x40 && offsetof(Vmcb, asid) == 0x58 && offsetof(Vmcb, interrupt_control) == 0x60);
static_assert(offsetof(Vmcb, event_injection) == 0xa8 && offsetof(Vmcb, next_rip) == 0xc8 && offsetof(Vmcb, es) == 0x400);
static_assert(offsetof(Vmcb, tr) == 0x490 && offsetof(Vmcb, cpl) == 0x4cb && offsetof(Vmcb, efer) == 0x4d0);
static_assert(offsetof(Vmcb, cr4) == 0x548 && offsetof(Vmcb, rip) == 0x578 && offsetof(Vmcb, rsp) == 0x5d8);
static_assert(offsetof(Vmcb, rax) == 0x5f8 && offsetof(Vmcb, cr2) == 0x640 && offsetof(Vmcb, pat) == 0x668);

}  // namespace px::svm
