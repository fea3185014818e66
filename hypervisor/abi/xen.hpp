// Basics of the ABI: hypercall numbers, special domains, virtual interrupts, PV memory operations [xen/public xen.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/handle.hpp"

namespace px::abi {

/// What XENVER_version reports, and the newest __XEN_INTERFACE_VERSION__ of this ABI.
inline constexpr u32 version_major = 4, version_minor = 17;
inline constexpr u32 latest_interface_version = 0x00040e00;

/// Number of each hypercall: eax on x86.
namespace hypercall {
inline constexpr unsigned set_trap_table = 0;
inline constexpr unsigned mmu_update = 1;
inline constexpr unsigned set_gdt = 2;
inline constexpr unsigned stack_switch = 3;
inline constexpr unsigned set_callbacks = 4;
inline constexpr unsigned fpu_taskswitch = 5;
inline constexpr unsigned sched_op_compat = 6;
inline constexpr unsigned platform_op = 7;
inline constexpr unsigned set_debugreg = 8;
inline constexpr unsigned get_debugreg = 9;
inline constexpr unsigned update_descriptor = 10;
inline constexpr unsigned memory_op = 12;
inline constexpr unsigned multicall = 13;
inline constexpr unsigned update_va_mapping = 14;
inline constexpr unsigned set_timer_op = 15;
inline constexpr unsigned event_channel_op_compat = 16;
inline constexpr unsigned xen_version = 17;
inline constexpr unsigned console_io = 18;
inline constexpr unsigned physdev_op_compat = 19;
inline constexpr unsigned grant_table_op = 20;
inline constexpr unsigned vm_assist = 21;
inline constexpr unsigned update_va_mapping_otherdomain = 22;
inline constexpr unsigned iret = 23;
inline constexpr unsigned vcpu_op = 24;
inline constexpr unsigned set_segment_base = 25;
inline constexpr unsigned mmuext_op = 26;
inline constexpr unsigned xsm_op = 27;
inline constexpr unsigned nmi_op = 28;
inline constexpr unsigned sched_op = 29;
inline constexpr unsigned callback_op = 30;
inline constexpr unsigned xenoprof_op = 31;
inline constexpr unsigned event_channel_op = 32;
inline constexpr unsigned physdev_op = 33;
inline constexpr unsigned hvm_op = 34;
inline constexpr unsigned sysctl = 35;
inline constexpr unsigned domctl = 36;
inline constexpr unsigned kexec_op = 37;
inline constexpr unsigned tmem_op = 38;
inline constexpr unsigned argo_op = 39;
inline constexpr unsigned xenpmu_op = 40;
inline constexpr unsigned dm_op = 41;
inline constexpr unsigned hypfs_op = 42;
inline constexpr unsigned arch_0 = 48;  ///< x86: mca
inline constexpr unsigned arch_1 = 49;  ///< x86: paging_domctl_cont, internal to the reference hypervisor
inline constexpr unsigned arch_2 = 50;
inline constexpr unsigned arch_3 = 51;
inline constexpr unsigned arch_4 = 52;
inline constexpr unsigned arch_5 = 53;
inline constexpr unsigned arch_6 = 54;
inline constexpr unsigned arch_7 = 55;
/// Entries of a hypercall page and of a hypercall table: 32 bytes each, up to the last number.
inline constexpr unsigned count = 56;
}  // namespace hypercall

/// Domain numbers with a meaning.
namespace domid {
inline constexpr u16 first_reserved = 0x7ff0;  ///< ordinary domains are below
inline constexpr u16 self = 0x7ff0;            ///< the calling domain
inline constexpr u16 io = 0x7ff1;              ///< owner of MMIO frames (foreign page-table updates)
inline constexpr u16 xen = 0x7ff2;             ///< owner of the hypervisor's frames that may be mapped
inline constexpr u16 cow = 0x7ff3;             ///< owner of shared pages
inline constexpr u16 invalid = 0x7ff4;
inline constexpr u16 idle = 0x7fff;
inline constexpr u16 mask = 0x7fff;
}  // namespace domid

/// Virtual interrupts. "global": one handler in the whole system, else one per vCPU.
enum class Virq : u32 {
    timer = 0,       ///< per vCPU
    debug = 1,       ///< per vCPU: dump your state
    console = 2,     ///< global: bytes on the emergency console
    dom_exc = 3,     ///< global: a domain changed its state
    tbuf = 4,        ///< global: trace buffer has records
    debugger = 6,    ///< global: a domain paused for a debugger
    xenoprof = 7,    ///< per vCPU
    con_ring = 8,    ///< global: bytes in the hypervisor's console ring
    pcpu_state = 9,  ///< global: a physical CPU went on or off line
    mem_event = 10,  ///< global
    argo = 11,       ///< per domain
    enomem = 12,     ///< global: little memory left
    xenpmu = 13,     ///< per vCPU
    arch_0 = 16,     ///< x86: machine check, global
    arch_1 = 17,
    arch_2 = 18,
    arch_3 = 19,
    arch_4 = 20,
    arch_5 = 21,
    arch_6 = 22,
    arch_7 = 23,
};
inline constexpr unsigned nr_virqs = 24;

/// mmu_update: the low two bits of MmuUpdate::ptr.
enum class MmuUpdateType : u32 {
    normal_pt_update = 0,
    machphys_update = 1,
    pt_update_preserve_ad = 2,
    pt_update_no_translate = 3,
};

/// normal, preserve_ad: *ptr = val, a page-table entry by machine address. machphys: mach_to_phys[ptr >> 12] = val.
struct MmuUpdate {
    u64 ptr;
    u64 val;
};

enum class MmuextOpCmd : u32 {
    pin_l1_table = 0,
    pin_l2_table = 1,
    pin_l3_table = 2,
    pin_l4_table = 3,
    unpin_table = 4,
    new_baseptr = 5,
    tlb_flush_local = 6,
    invlpg_local = 7,
    tlb_flush_multi = 8,
    invlpg_multi = 9,
    tlb_flush_all = 10,
    invlpg_all = 11,
    flush_cache = 12,
    set_ldt = 13,
    new_user_baseptr = 15,
    clear_page = 16,
    copy_page = 17,
    flush_cache_global = 18,
    mark_super = 19,
    unmark_super = 20,
};

struct MmuextOp {
    u32 cmd;  ///< MmuextOpCmd
    union {
        u64 mfn;          ///< pin, unpin, baseptr, clear, copy (destination), mark
        u64 linear_addr;  ///< invlpg, set_ldt
    } arg1;
    union {
        u32 nr_ents;                       ///< set_ldt
        GuestHandle<const void> vcpumask;  ///< *_multi
        u64 src_mfn;                       ///< copy_page
    } arg2;
};

/// update_va_mapping's flags: what to flush, and where (bits 2 up: 0 this CPU, 4 all, else a guest pointer to a
/// bitmap of vCPUs).
namespace uvmf {
inline constexpr u64 none = 0;
inline constexpr u64 tlb_flush = 1;
inline constexpr u64 invlpg = 2;
inline constexpr u64 flushtype_mask = 3;
inline constexpr u64 multi = 0;
inline constexpr u64 local = 0;
inline constexpr u64 all = 1u << 2;
}  // namespace uvmf

enum class ConsoleIo : u32 { write = 0, read = 1 };

enum class VmassistCmd : u32 { enable = 0, disable = 1 };

enum class VmassistType : u32 {
    segments_4gb = 0,         ///< 32-bit PV only
    segments_4gb_notify = 1,  ///< 32-bit PV only
    writable_pagetables = 2,
    pae_extended_cr3 = 3,  ///< 32-bit PV only
    architectural_iopl = 4,
    runstate_update_flag = 5,  ///< set runstate_update while the runstate area is being written
    m2p_strict = 32,
};

/// One call of a multicall; result is written back.
struct MulticallEntry {
    u64 op, result;
    u64 args[6];
};

/// Reasons of an NMI that dom0 gets (SharedInfo::arch.nmi_reason).
namespace nmi_reason {
inline constexpr u64 io_error = 1u << 0;
inline constexpr u64 pci_serr = 1u << 1;
inline constexpr u64 unknown = 1u << 2;
}  // namespace nmi_reason

enum class NmiOp : u32 { register_callback = 0, unregister_callback = 1 };

struct NmiCallback {
    u64 handler_address;
    u64 pad;
};

using DomainHandle = u8[16];  ///< a domain's UUID
struct Uuid {
    u8 a[16];
};

/// A bitmap of a toolstack: bit n is bit n%8 of byte n/8.
struct Bitmap {
    GuestHandle<u8> bitmap;
    u32 nr_bits;
};

}  // namespace px::abi
