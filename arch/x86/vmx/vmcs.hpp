// The virtual machine control structure: its fields by width, and their bits. [intel/sdm3 25, appendix B]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::vmx {

// A field's encoding tells its width in bits 13 and 14; one enumeration per width, so that none is read as another.
enum class Field16 : u32 {
    vpid = 0x0000,
    posted_interrupt_vector = 0x0002,
    guest_es = 0x0800,
    guest_cs = 0x0802,
    guest_ss = 0x0804,
    guest_ds = 0x0806,
    guest_fs = 0x0808,
    guest_gs = 0x080a,
    guest_ldtr = 0x080c,
    guest_tr = 0x080e,
    guest_interrupt_status = 0x0810,
    host_es = 0x0c00,
    host_cs = 0x0c02,
    host_ss = 0x0c04,
    host_ds = 0x0c06,
    host_fs = 0x0c08,
    host_gs = 0x0c0a,
    host_tr = 0x0c0c,
};
enum class Field64 : u32 {
    io_bitmap_a = 0x2000,
    io_bitmap_b = 0x2002,
    msr_bitmap = 0x2004,
    tsc_offset = 0x2010,
    virtual_apic = 0x2012,
    apic_access = 0x2014,
    posted_interrupt_descriptor = 0x2016,
    ept_pointer = 0x201a,
    eoi_exit_0 = 0x201c,
    eoi_exit_1 = 0x201e,
    eoi_exit_2 = 0x2020,
    eoi_exit_3 = 0x2022,
    xss_exits = 0x202c,
    guest_physical_address = 0x2400,
    link_pointer = 0x2800,
    guest_debug_control = 0x2802,
    guest_pat = 0x2804,
    guest_efer = 0x2806,
    guest_pdpte_0 = 0x280a,
    guest_pdpte_1 = 0x280c,
    guest_pdpte_2 = 0x280e,
    guest_pdpte_3 = 0x2810,
    host_pat = 0x2c00,
    host_efer = 0x2c02,
};
enum class Field32 : u32 {
    pin_controls = 0x4000,
    primary_controls = 0x4002,
    exception_bitmap = 0x4004,
    page_fault_mask = 0x4006,
    page_fault_match = 0x4008,
    cr3_target_count = 0x400a,
    exit_controls = 0x400c,
    exit_msr_store_count = 0x400e,
    exit_msr_load_count = 0x4010,
    entry_controls = 0x4012,
    entry_msr_load_count = 0x4014,
    entry_interruption = 0x4016,
    entry_error_code = 0x4018,
    entry_instruction_length = 0x401a,
    tpr_threshold = 0x401c,
    secondary_controls = 0x401e,
    ple_gap = 0x4020,
    ple_window = 0x4022,
    instruction_error = 0x4400,
    exit_reason = 0x4402,
    exit_interruption = 0x4404,
    exit_error_code = 0x4406,
    idt_vectoring = 0x4408,
    idt_vectoring_error_code = 0x440a,
    exit_instruction_length = 0x440c,
    guest_es_limit = 0x4800,
    guest_cs_limit = 0x4802,
    guest_ss_limit = 0x4804,
    guest_ds_limit = 0x4806,
    guest_fs_limit = 0x4808,
    guest_gs_limit = 0x480a,
    guest_ldtr_limit = 0x480c,
    guest_tr_limit = 0x480e,
    guest_gdtr_limit = 0x4810,
    guest_idtr_limit = 0x4812,
    guest_es_rights = 0x4814,
    guest_cs_rights = 0x4816,
    guest_ss_rights = 0x4818,
    guest_ds_rights = 0x481a,
    guest_fs_rights = 0x481c,
    guest_gs_rights = 0x481e,
    guest_ldtr_rights = 0x4820,
    guest_tr_rights = 0x4822,
    guest_interruptibility = 0x4824,
    guest_activity = 0x4826,
    guest_sysenter_cs = 0x482a,
    host_sysenter_cs = 0x4c00,
};
enum class FieldNatural : u32 {
    cr0_mask = 0x6000,
    cr4_mask = 0x6002,
    cr0_shadow = 0x6004,
    cr4_shadow = 0x6006,
    exit_qualification = 0x6400,
    guest_linear_address = 0x640a,
    guest_cr0 = 0x6800,
    guest_cr3 = 0x6802,
    guest_cr4 = 0x6804,
    guest_es_base = 0x6806,
    guest_cs_base = 0x6808,
    guest_ss_base = 0x680a,
    guest_ds_base = 0x680c,
    guest_fs_base = 0x680e,
    guest_gs_base = 0x6810,
    guest_ldtr_base = 0x6812,
    guest_tr_base = 0x6814,
    guest_gdtr_base = 0x6816,
    guest_idtr_base = 0x6818,
    guest_dr7 = 0x681a,
    guest_rsp = 0x681c,
    guest_rip = 0x681e,
    guest_rflags = 0x6820,
    guest_pending_debug = 0x6822,
    guest_sysenter_esp = 0x6824,
    guest_sysenter_eip = 0x6826,
    host_cr0 = 0x6c00,
    host_cr3 = 0x6c02,
    host_cr4 = 0x6c04,
    host_fs_base = 0x6c06,
    host_gs_base = 0x6c08,
    host_tr_base = 0x6c0a,
    host_gdtr_base = 0x6c0c,
    host_idtr_base = 0x6c0e,
    host_sysenter_esp = 0x6c10,
    host_sysenter_eip = 0x6c12,
    host_rsp = 0x6c14,
    host_rip = 0x6c16,
};

/// Pin-based controls [intel/sdm3 25.6.1].
namespace pin {
inline constexpr u32 external_interrupt = 1u << 0, nmi = 1u << 3, virtual_nmis = 1u << 5, preemption_timer = 1u << 6,
                     posted_interrupts = 1u << 7;
}
/// Primary processor-based controls [intel/sdm3 25.6.2].
namespace primary {
inline constexpr u32 interrupt_window = 1u << 2, tsc_offsetting = 1u << 3, hlt = 1u << 7, invlpg = 1u << 9, mwait = 1u << 10,
                     rdpmc = 1u << 11, rdtsc = 1u << 12, cr3_load = 1u << 15, cr3_store = 1u << 16, cr8_load = 1u << 19,
                     cr8_store = 1u << 20, tpr_shadow = 1u << 21, nmi_window = 1u << 22, mov_dr = 1u << 23, all_io = 1u << 24,
                     io_bitmaps = 1u << 25, msr_bitmaps = 1u << 28, monitor = 1u << 29, pause = 1u << 30, secondary = 1u << 31;
}
/// Secondary processor-based controls [intel/sdm3 25.6.2].
namespace secondary {
inline constexpr u32 apic_accesses = 1u << 0, ept = 1u << 1, descriptor_tables = 1u << 2, rdtscp = 1u << 3, x2apic = 1u << 4,
                     vpid = 1u << 5, wbinvd = 1u << 6, unrestricted_guest = 1u << 7, apic_registers = 1u << 8, virtual_interrupts = 1u << 9,
                     pause_loop = 1u << 10, rdrand = 1u << 11, invpcid = 1u << 12, xsaves = 1u << 20, tsc_scaling = 1u << 25;
}
/// Exit controls [intel/sdm3 25.7.1].
namespace exit_control {
inline constexpr u32 save_debug = 1u << 2, host_64_bit = 1u << 9, acknowledge_interrupt = 1u << 15, save_pat = 1u << 18,
                     load_pat = 1u << 19, save_efer = 1u << 20, load_efer = 1u << 21;
}
/// Entry controls [intel/sdm3 25.8.1].
namespace entry_control {
inline constexpr u32 load_debug = 1u << 2, long_mode = 1u << 9, load_pat = 1u << 14, load_efer = 1u << 15;
}

/// Basic exit reasons [intel/sdm3 appendix C].
enum class Exit : u16 {
    exception_or_nmi = 0,
    external_interrupt = 1,
    triple_fault = 2,
    init = 3,
    startup = 4,
    interrupt_window = 7,
    nmi_window = 8,
    task_switch = 9,
    cpuid = 10,
    getsec = 11,
    hlt = 12,
    invd = 13,
    invlpg = 14,
    rdpmc = 15,
    rdtsc = 16,
    rsm = 17,
    vmcall = 18,
    vmclear = 19,
    vmlaunch = 20,
    vmptrld = 21,
    vmptrst = 22,
    vmread = 23,
    vmresume = 24,
    vmwrite = 25,
    vmxoff = 26,
    vmxon = 27,
    control_register = 28,
    debug_register = 29,
    io = 30,
    rdmsr = 31,
    wrmsr = 32,
    invalid_guest_state = 33,
    msr_loading = 34,
    mwait = 36,
    monitor = 39,
    pause = 40,
    machine_check = 41,
    tpr_below_threshold = 43,
    apic_access = 44,
    virtualized_eoi = 45,
    ept_violation = 48,
    ept_misconfiguration = 49,
    invept = 50,
    rdtscp = 51,
    preemption_timer = 52,
    invvpid = 53,
    wbinvd = 54,
    xsetbv = 55,
    apic_write = 56,
    rdrand = 57,
    invpcid = 58,
    vmfunc = 59,
    rdseed = 61,
    xsaves = 63,
    xrstors = 64,
    count = 65,
};
/// Field32::exit_reason: the VM entry failed.
inline constexpr u32 entry_failed = 1u << 31;

/// Entry, exit and IDT-vectoring information about an event [intel/sdm3 25.8.3, 25.9.2, 25.9.3].
namespace interruption {
inline constexpr u32 vector_mask = 0xff, type_mask = 7u << 8, has_error = 1u << 11, nmi_unblocked = 1u << 12, valid = 1u << 31;
inline constexpr u32 external = 0u << 8, nmi = 2u << 8, hardware_exception = 3u << 8, software_interrupt = 4u << 8,
                     privileged_exception = 5u << 8, software_exception = 6u << 8;
}  // namespace interruption
/// Field32::guest_interruptibility [intel/sdm3 25.4.2].
namespace blocking {
inline constexpr u32 sti = 1u << 0, mov_ss = 1u << 1, smi = 1u << 2, nmi = 1u << 3;
}
/// FieldNatural::guest_pending_debug [intel/sdm3 25.4.2].
inline constexpr u64 pending_single_step = 1u << 14;

/// The exit qualification of an EPT violation [intel/sdm3 28.2.1].
namespace ept_violation {
inline constexpr u64 read = 1u << 0, write = 1u << 1, fetch = 1u << 2, any_right = 7u << 3, nmi_unblocked = 1u << 12;
}

}  // namespace px::vmx
