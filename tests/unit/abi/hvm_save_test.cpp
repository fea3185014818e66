// ABI comparison: hvm save.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/hvm/save.h>

#include "hypervisor/abi/hvm_save.hpp"
#include "hypervisor/abi/x86/hvm_save.hpp"

// hvm_save.hpp
SAME_STRUCT(HvmSaveDescriptor, hvm_save_descriptor, typecode, instance, length);

// x86/hvm_save.hpp
SAME(x86::hvm_save_code_max, HVM_SAVE_CODE_MAX);
SAME(x86::hvm_file_magic, HVM_FILE_MAGIC);
SAME(x86::hvm_file_version, HVM_FILE_VERSION);
SAME(x86::fpu_initialised, XEN_X86_FPU_INITIALISED);
SAME(x86::vioapic_num_pins, VIOAPIC_NUM_PINS);
SAME(x86::rtc_cmos_size, RTC_CMOS_SIZE);
SAME(x86::hpet_timer_num, HPET_TIMER_NUM);
SAME(x86::mtrr_vcnt, MTRR_VCNT);
SAME(x86::mtrr_num_fixed_msr, NUM_FIXED_MSR);
SAME(x86::HvmSaveCode::end, HVM_SAVE_CODE(END));
SAME(x86::HvmSaveCode::header, HVM_SAVE_CODE(HEADER));
SAME(x86::HvmSaveCode::cpu, HVM_SAVE_CODE(CPU));
SAME(x86::HvmSaveCode::pic, HVM_SAVE_CODE(PIC));
SAME(x86::HvmSaveCode::ioapic, HVM_SAVE_CODE(IOAPIC));
SAME(x86::HvmSaveCode::lapic, HVM_SAVE_CODE(LAPIC));
SAME(x86::HvmSaveCode::lapic_regs, HVM_SAVE_CODE(LAPIC_REGS));
SAME(x86::HvmSaveCode::pci_irq, HVM_SAVE_CODE(PCI_IRQ));
SAME(x86::HvmSaveCode::isa_irq, HVM_SAVE_CODE(ISA_IRQ));
SAME(x86::HvmSaveCode::pci_link, HVM_SAVE_CODE(PCI_LINK));
SAME(x86::HvmSaveCode::pit, HVM_SAVE_CODE(PIT));
SAME(x86::HvmSaveCode::rtc, HVM_SAVE_CODE(RTC));
SAME(x86::HvmSaveCode::hpet, HVM_SAVE_CODE(HPET));
SAME(x86::HvmSaveCode::pmtimer, HVM_SAVE_CODE(PMTIMER));
SAME(x86::HvmSaveCode::mtrr, HVM_SAVE_CODE(MTRR));
SAME(x86::HvmSaveCode::viridian_domain, HVM_SAVE_CODE(VIRIDIAN_DOMAIN));
SAME(x86::HvmSaveCode::cpu_xsave, CPU_XSAVE_CODE);
SAME(x86::HvmSaveCode::viridian_vcpu, HVM_SAVE_CODE(VIRIDIAN_VCPU));
SAME(x86::HvmSaveCode::vmce_vcpu, HVM_SAVE_CODE(VMCE_VCPU));
SAME(x86::HvmSaveCode::tsc_adjust, HVM_SAVE_CODE(TSC_ADJUST));
SAME(x86::HvmSaveCode::cpu_msr, CPU_MSR_CODE);
SAME_STRUCT(x86::HvmSaveHeader, hvm_save_header, magic, version, changeset, cpuid, gtsc_khz);
SAME_STRUCT(x86::HvmHwCpu, hvm_hw_cpu, fpu_regs, rax, rbx, rcx, rdx, rbp, rsi, rdi, rsp, r8, r9, r10, r11, r12, r13, r14, r15, rip, rflags,
            cr0, cr2, cr3, cr4, dr0, dr1, dr2, dr3, dr6, dr7, cs_sel, ds_sel, es_sel, fs_sel, gs_sel, ss_sel, tr_sel, ldtr_sel, cs_limit,
            ds_limit, es_limit, fs_limit, gs_limit, ss_limit, tr_limit, ldtr_limit, idtr_limit, gdtr_limit, cs_base, ds_base, es_base,
            fs_base, gs_base, ss_base, tr_base, ldtr_base, idtr_base, gdtr_base, cs_arbytes, ds_arbytes, es_arbytes, fs_arbytes, gs_arbytes,
            ss_arbytes, tr_arbytes, ldtr_arbytes, sysenter_cs, sysenter_esp, sysenter_eip, shadow_gs, msr_flags, msr_lstar, msr_star,
            msr_cstar, msr_syscall_mask, msr_efer, msr_tsc_aux, tsc, pending_event, error_code, flags, pad0);
SAME_STRUCT(x86::HvmHwVpic, hvm_hw_vpic, irr, imr, isr, irq_base, elcr, int_output);
SAME_STRUCT(x86::HvmHwVioapic, hvm_hw_vioapic, base_address, ioregsel, id, redirtbl);
SAME_STRUCT(x86::HvmHwLapic, hvm_hw_lapic, apic_base_msr, disabled, timer_divisor, tdt_msr);
SAME_STRUCT(x86::HvmHwLapicRegs, hvm_hw_lapic_regs, data);
SAME_STRUCT(x86::HvmHwPciIrqs, hvm_hw_pci_irqs, pad);
SAME_STRUCT(x86::HvmHwIsaIrqs, hvm_hw_isa_irqs, pad);
SAME_STRUCT(x86::HvmHwPciLink, hvm_hw_pci_link, route, pad0);
SAME_STRUCT(x86::HvmHwPit, hvm_hw_pit, channels, channels[0].count, channels[0].latched_count, channels[0].count_latched,
            channels[0].status_latched, channels[0].status, channels[0].read_state, channels[0].write_state, channels[0].write_latch,
            channels[0].rw_mode, channels[0].mode, channels[0].bcd, channels[0].gate, speaker_data_on, pad0);
SAME_STRUCT(x86::HvmHwRtc, hvm_hw_rtc, cmos_data, cmos_index, pad0, rtc_offset);
SAME_STRUCT(x86::HvmHwHpet, hvm_hw_hpet, capability, res0, config, res1, isr, res2, mc64, res3, timers, timers[0].config, timers[0].cmp,
            timers[0].fsb, timers[0].res4, res5, period);
SAME_STRUCT(x86::HvmHwPmtimer, hvm_hw_pmtimer, tmr_val, pm1a_sts, pm1a_en);
SAME_STRUCT(x86::HvmHwMtrr, hvm_hw_mtrr, msr_pat_cr, msr_mtrr_var, msr_mtrr_fixed, msr_mtrr_cap, msr_mtrr_def_type);
SAME_STRUCT(x86::HvmHwCpuXsave, hvm_hw_cpu_xsave, xfeature_mask, xcr0, xcr0_accum, save_area, save_area.fpu_sse, save_area.fpu_sse.x,
            save_area.xsave_hdr, save_area.xsave_hdr.xstate_bv, save_area.xsave_hdr.xcomp_bv, save_area.xsave_hdr.reserved);
SAME_STRUCT(x86::HvmViridianDomainContext, hvm_viridian_domain_context, hypercall_gpa, guest_os_id, time_ref_count, reference_tsc);
SAME_STRUCT(x86::HvmViridianVcpuContext, hvm_viridian_vcpu_context, vp_assist_msr, apic_assist_pending, simp_msr, sint_msr,
            stimer_config_msr, stimer_count_msr);
SAME_STRUCT(x86::HvmVmceVcpu, hvm_vmce_vcpu, caps, mci_ctl2_bank0, mci_ctl2_bank1, mcg_ext_ctl);
SAME_STRUCT(x86::HvmTscAdjust, hvm_tsc_adjust, tsc_adjust);
SAME_STRUCT(x86::HvmMsr, hvm_msr, count);
SAME_STRUCT(x86::HvmOneMsr, hvm_msr::hvm_one_msr, index, val);

static_assert(sizeof(px::abi::x86::HvmMsr) == offsetof(hvm_msr, msr));

static_assert(sizeof(px::abi::x86::HvmHwCpu) == HVM_SAVE_LENGTH(CPU));
static_assert(sizeof(px::abi::x86::HvmHwLapicRegs) == HVM_SAVE_LENGTH(LAPIC_REGS));
static_assert(sizeof(px::abi::x86::HvmHwMtrr) == HVM_SAVE_LENGTH(MTRR));

TEST(AbiHvmSave, BitFieldsLieWhereTheABIHasThem) {
    SAME_BITS(x86::HvmHwVpic, hvm_hw_vpic, init_state);
    SAME_BITS(x86::HvmHwVpic, hvm_hw_vpic, priority_add);
    SAME_BITS(x86::HvmHwVpic, hvm_hw_vpic, readsel_isr);
    SAME_BITS(x86::HvmHwVpic, hvm_hw_vpic, poll);
    SAME_BITS(x86::HvmHwVpic, hvm_hw_vpic, auto_eoi);
    SAME_BITS(x86::HvmHwVpic, hvm_hw_vpic, rotate_on_auto_eoi);
    SAME_BITS(x86::HvmHwVpic, hvm_hw_vpic, special_fully_nested_mode);
    SAME_BITS(x86::HvmHwVpic, hvm_hw_vpic, special_mask_mode);
    SAME_BITS(x86::HvmHwVpic, hvm_hw_vpic, is_master);
}
