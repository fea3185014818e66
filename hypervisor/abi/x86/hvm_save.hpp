// Records of an HVM domain's saved state [xen/public arch-x86/hvm/save.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/hvm_save.hpp"
#include "hypervisor/base/types.hpp"

namespace px::abi::x86 {

enum class HvmSaveCode : u16 {
    end = 0,
    header = 1,
    cpu = 2,
    pic = 3,
    ioapic = 4,
    lapic = 5,
    lapic_regs = 6,
    pci_irq = 7,
    isa_irq = 8,
    pci_link = 9,
    pit = 10,
    rtc = 11,
    hpet = 12,
    pmtimer = 13,
    mtrr = 14,
    viridian_domain = 15,
    cpu_xsave = 16,
    viridian_vcpu = 17,
    vmce_vcpu = 18,
    tsc_adjust = 19,
    cpu_msr = 20,
};
inline constexpr u16 hvm_save_code_max = 20;

inline constexpr u32 hvm_file_magic = 0x54381286, hvm_file_version = 1;
struct HvmSaveHeader {
    u32 magic;
    u32 version;
    u64 changeset;
    u32 cpuid;  ///< leaf 1 eax of the machine
    u32 gtsc_khz;
};

inline constexpr u32 fpu_initialised = 1u << 0;
struct HvmHwCpu {
    u8 fpu_regs[512];
    u64 rax, rbx, rcx, rdx, rbp, rsi, rdi, rsp;
    u64 r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rip, rflags;
    u64 cr0, cr2, cr3, cr4;
    u64 dr0, dr1, dr2, dr3, dr6, dr7;
    u32 cs_sel, ds_sel, es_sel, fs_sel, gs_sel, ss_sel, tr_sel, ldtr_sel;
    u32 cs_limit, ds_limit, es_limit, fs_limit, gs_limit, ss_limit, tr_limit, ldtr_limit, idtr_limit, gdtr_limit;
    u64 cs_base, ds_base, es_base, fs_base, gs_base, ss_base, tr_base, ldtr_base, idtr_base, gdtr_base;
    u32 cs_arbytes, ds_arbytes, es_arbytes, fs_arbytes, gs_arbytes, ss_arbytes, tr_arbytes, ldtr_arbytes;
    u64 sysenter_cs, sysenter_esp, sysenter_eip;
    u64 shadow_gs;
    u64 msr_flags;  ///< obsolete, 0
    u64 msr_lstar, msr_star, msr_cstar, msr_syscall_mask, msr_efer, msr_tsc_aux;
    u64 tsc;  ///< the guest's
    /// An event that was being delivered: vector 0–7, type 8–10, error code valid 11, valid 31.
    u32 pending_event;
    u32 error_code;
    u32 flags;  ///< fpu_initialised
    u32 pad0;
};

struct HvmHwVpic {
    u8 irr, imr, isr;
    u8 irq_base;
    u8 init_state : 4;
    u8 priority_add : 4;
    u8 readsel_isr : 1;
    u8 poll : 1;
    u8 auto_eoi : 1;
    u8 rotate_on_auto_eoi : 1;
    u8 special_fully_nested_mode : 1;
    u8 special_mask_mode : 1;
    u8 is_master : 1;
    u8 elcr;
    u8 int_output;
};

inline constexpr unsigned vioapic_num_pins = 48;
struct HvmHwVioapic {
    u64 base_address;
    u32 ioregsel;
    u32 id;
    u64 redirtbl[vioapic_num_pins];  ///< as the hardware's
};

struct HvmHwLapic {
    u64 apic_base_msr;
    u32 disabled;
    u32 timer_divisor;
    u64 tdt_msr;
};
struct HvmHwLapicRegs {
    u8 data[1024];
};

struct HvmHwPciIrqs {
    u64 pad[2];
};  ///< level of INTx of device d, pin p: bit 4 * d + p
struct HvmHwIsaIrqs {
    u64 pad[1];
};
struct HvmHwPciLink {
    u8 route[4];  ///< ISA IRQ of PCI link A–D, 0: none
    u8 pad0[4];
};

struct HvmHwPit {
    struct Channel {
        u32 count;  ///< up to 0x10000
        u16 latched_count;
        u8 count_latched;
        u8 status_latched;
        u8 status;
        u8 read_state;
        u8 write_state;
        u8 write_latch;
        u8 rw_mode;
        u8 mode;
        u8 bcd;
        u8 gate;
    } channels[3];
    u32 speaker_data_on;
    u32 pad0;
};

inline constexpr unsigned rtc_cmos_size = 14;
struct HvmHwRtc {
    u8 cmos_data[rtc_cmos_size];
    u8 cmos_index;
    u8 pad0;
    i64 rtc_offset;
};

inline constexpr unsigned hpet_timer_num = 3;
struct HvmHwHpet {
    u64 capability;
    u64 res0;
    u64 config;
    u64 res1;
    u64 isr;
    u64 res2[25];
    u64 mc64;
    u64 res3;
    struct {
        u64 config;
        u64 cmp;
        u64 fsb;
        u64 res4;
    } timers[hpet_timer_num];
    u64 res5[4 * (24 - hpet_timer_num)];
    u64 period[hpet_timer_num];
};

struct HvmHwPmtimer {
    u32 tmr_val;
    u16 pm1a_sts;
    u16 pm1a_en;
};

inline constexpr unsigned mtrr_vcnt = 8, mtrr_num_fixed_msr = 11;
struct HvmHwMtrr {
    u64 msr_pat_cr;
    u64 msr_mtrr_var[mtrr_vcnt * 2];
    u64 msr_mtrr_fixed[mtrr_num_fixed_msr];
    u64 msr_mtrr_cap;
    u64 msr_mtrr_def_type;
};

/// Followed by the rest of the (uncompacted) XSAVE area: the record is as long as xcr0_accum needs.
struct HvmHwCpuXsave {
    u64 xfeature_mask;
    u64 xcr0;
    u64 xcr0_accum;
    struct {
        struct {
            u8 x[512];
        } fpu_sse;
        struct {
            u64 xstate_bv;
            u64 xcomp_bv;
            u64 reserved[6];
        } xsave_hdr;
    } save_area;
};

struct HvmViridianDomainContext {
    u64 hypercall_gpa;
    u64 guest_os_id;
    u64 time_ref_count;
    u64 reference_tsc;
};
struct HvmViridianVcpuContext {
    u64 vp_assist_msr;
    u8 apic_assist_pending;
    u8 pad[7];
    u64 simp_msr;
    u64 sint_msr[16];
    u64 stimer_config_msr[4];
    u64 stimer_count_msr[4];
};

struct HvmVmceVcpu {
    u64 caps;
    u64 mci_ctl2_bank0;
    u64 mci_ctl2_bank1;
    u64 mcg_ext_ctl;
};

struct HvmTscAdjust {
    u64 tsc_adjust;
};

/// The cpu_msr record is HvmMsr, padded to 8 bytes, then count times HvmOneMsr.
struct HvmMsr {
    alignas(8) u32 count;
};
struct HvmOneMsr {
    u32 index;
    u32 rsvd;
    u64 val;
};

}  // namespace px::abi::x86
