// ABI comparison: x86.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/arch-x86/cpuid.h>
#include <xen/hvm/e820.h>
#include <xen/hvm/hvm_info_table.h>
#include <xen/hvm/hvm_vcpu.h>

#include "hypervisor/abi/x86/cpuid.hpp"
#include "hypervisor/abi/x86/domain.hpp"
#include "hypervisor/abi/x86/hvm_info_table.hpp"
#include "hypervisor/abi/x86/vcpu_context.hpp"

// x86/domain.hpp
SAME(x86::legacy_max_vcpus, XEN_LEGACY_MAX_VCPUS);
SAME(x86::emu::lapic, XEN_X86_EMU_LAPIC);
SAME(x86::emu::hpet, XEN_X86_EMU_HPET);
SAME(x86::emu::pm, XEN_X86_EMU_PM);
SAME(x86::emu::rtc, XEN_X86_EMU_RTC);
SAME(x86::emu::ioapic, XEN_X86_EMU_IOAPIC);
SAME(x86::emu::pic, XEN_X86_EMU_PIC);
SAME(x86::emu::vga, XEN_X86_EMU_VGA);
SAME(x86::emu::iommu, XEN_X86_EMU_IOMMU);
SAME(x86::emu::pit, XEN_X86_EMU_PIT);
SAME(x86::emu::use_pirq, XEN_X86_EMU_USE_PIRQ);
SAME(x86::emu::vpci, XEN_X86_EMU_VPCI);
SAME(x86::emu::all, XEN_X86_EMU_ALL);
SAME(x86::msr_relaxed, XEN_X86_MSR_RELAXED);
SAME(x86::misc_flags_max, XEN_X86_MISC_FLAGS_MAX);
SAME(x86::cpuid_no_subleaf, XEN_CPUID_NO_SUBLEAF);
SAME(x86::hvm_debugcons_ioport, XEN_HVM_DEBUGCONS_IOPORT);
SAME_STRUCT(x86::ArchVcpuInfo, arch_vcpu_info, cr2, pad);
SAME_STRUCT(x86::ArchSharedInfo, arch_shared_info, max_pfn, pfn_to_mfn_frame_list_list, nmi_reason, p2m_cr3, p2m_vaddr, p2m_generation);
SAME_STRUCT(x86::DomainConfig, xen_arch_domainconfig, emulation_flags, misc_flags);
SAME_STRUCT(x86::CpuidLeaf, xen_cpuid_leaf, leaf, subleaf, a, b, c, d);
SAME_STRUCT(x86::MsrEntry, xen_msr_entry, idx, flags, val);

// x86/vcpu_context.hpp
SAME(x86::vgcf::i387_valid, VGCF_i387_valid);
SAME(x86::vgcf::in_kernel, VGCF_in_kernel);
SAME(x86::vgcf::failsafe_disables_events, VGCF_failsafe_disables_events);
SAME(x86::vgcf::syscall_disables_events, VGCF_syscall_disables_events);
SAME(x86::vgcf::online, VGCF_online);
SAME(x86::vgcf::in_syscall, VGCF_in_syscall);
SAME(x86::flat_ring3::cs32, FLAT_RING3_CS32);
SAME(x86::flat_ring3::cs64, FLAT_RING3_CS64);
SAME(x86::flat_ring3::ds32, FLAT_RING3_DS32);
SAME(x86::flat_ring3::ds64, FLAT_RING3_DS64);
SAME(x86::flat_ring3::ss32, FLAT_RING3_SS32);
SAME(x86::flat_ring3::ss64, FLAT_RING3_SS64);
SAME(x86::first_reserved_gdt_page, FIRST_RESERVED_GDT_PAGE);
SAME(x86::first_reserved_gdt_byte, FIRST_RESERVED_GDT_BYTE);
SAME(x86::first_reserved_gdt_entry, FIRST_RESERVED_GDT_ENTRY);
SAME(x86::hypervisor_virt_start, HYPERVISOR_VIRT_START);
SAME(x86::hypervisor_virt_end, __HYPERVISOR_VIRT_END);
SAME(x86::mach2phys_virt_start, MACH2PHYS_VIRT_START);
SAME(x86::mach2phys_virt_end, MACH2PHYS_VIRT_END);
SAME(x86::SegmentBase::fs, SEGBASE_FS);
SAME(x86::SegmentBase::gs_user, SEGBASE_GS_USER);
SAME(x86::SegmentBase::gs_kernel, SEGBASE_GS_KERNEL);
SAME(x86::SegmentBase::gs_user_sel, SEGBASE_GS_USER_SEL);
SAME(x86::VcpuHvmMode::mode_32b, VCPU_HVM_MODE_32B);
SAME(x86::VcpuHvmMode::mode_64b, VCPU_HVM_MODE_64B);
SAME_STRUCT(x86::CpuUserRegs, cpu_user_regs, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, error_code,
            entry_vector, rip, cs, saved_upcall_mask, rflags, rsp, ss, es, ds, fs, gs);
SAME_STRUCT(x86::TrapInfo, trap_info, vector, flags, cs, address);
SAME_STRUCT(x86::VcpuGuestContext, vcpu_guest_context, fpu_ctxt, fpu_ctxt.x, flags, user_regs, trap_ctxt, ldt_base, ldt_ents, gdt_frames,
            gdt_ents, kernel_ss, kernel_sp, ctrlreg, debugreg, event_callback_eip, failsafe_callback_eip, syscall_callback_eip, vm_assist,
            fs_base, gs_base_kernel, gs_base_user);
SAME_STRUCT(x86::IretContext, iret_context, rax, r11, rcx, flags, rip, cs, rflags, rsp, ss);
SAME_STRUCT(x86::VcpuHvmX86_32, vcpu_hvm_x86_32, eax, ecx, edx, ebx, esp, ebp, esi, edi, eip, eflags, cr0, cr3, cr4, pad1, efer, cs_base,
            ds_base, ss_base, es_base, tr_base, cs_limit, ds_limit, ss_limit, es_limit, tr_limit, cs_ar, ds_ar, ss_ar, es_ar, tr_ar, pad2);
SAME_STRUCT(x86::VcpuHvmX86_64, vcpu_hvm_x86_64, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, rip, rflags, cr0, cr3, cr4, efer);
SAME_STRUCT(x86::VcpuHvmContext, vcpu_hvm_context, mode, pad, cpu_regs, cpu_regs.x86_32, cpu_regs.x86_64);

// x86/cpuid.hpp
SAME(x86::xen_cpuid::first_leaf, XEN_CPUID_FIRST_LEAF);
SAME(x86::xen_cpuid::signature_ebx, XEN_CPUID_SIGNATURE_EBX);
SAME(x86::xen_cpuid::signature_ecx, XEN_CPUID_SIGNATURE_ECX);
SAME(x86::xen_cpuid::signature_edx, XEN_CPUID_SIGNATURE_EDX);
SAME(x86::xen_cpuid::max_num_leaves, XEN_CPUID_MAX_NUM_LEAVES);
SAME(x86::xen_cpuid::feat1_mmu_pt_update_preserve_ad, XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD);
SAME(x86::xen_cpuid::hvm_apic_access_virt, XEN_HVM_CPUID_APIC_ACCESS_VIRT);
SAME(x86::xen_cpuid::hvm_x2apic_virt, XEN_HVM_CPUID_X2APIC_VIRT);
SAME(x86::xen_cpuid::hvm_iommu_mappings, XEN_HVM_CPUID_IOMMU_MAPPINGS);
SAME(x86::xen_cpuid::hvm_vcpu_id_present, XEN_HVM_CPUID_VCPU_ID_PRESENT);
SAME(x86::xen_cpuid::hvm_domid_present, XEN_HVM_CPUID_DOMID_PRESENT);
SAME(x86::xen_cpuid::hvm_ext_dest_id, XEN_HVM_CPUID_EXT_DEST_ID);
SAME(x86::xen_cpuid::hvm_upcall_vector, XEN_HVM_CPUID_UPCALL_VECTOR);
SAME(x86::xen_cpuid::machine_address_width_mask, XEN_CPUID_MACHINE_ADDRESS_WIDTH_MASK);

// x86/hvm_info_table.hpp
SAME(x86::hvm_info_pfn, HVM_INFO_PFN);
SAME(x86::hvm_info_offset, HVM_INFO_OFFSET);
SAME(x86::hvm_info_paddr, HVM_INFO_PADDR);
SAME(x86::hvm_max_vcpus, HVM_MAX_VCPUS);
SAME(x86::hvm_e820_page, HVM_E820_PAGE);
SAME(x86::hvm_e820_nr_offset, HVM_E820_NR_OFFSET);
SAME(x86::hvm_e820_offset, HVM_E820_OFFSET);
SAME(x86::hvm_below_4g_ram_end, HVM_BELOW_4G_RAM_END);
SAME(x86::hvm_below_4g_mmio_start, HVM_BELOW_4G_MMIO_START);
SAME(x86::hvm_below_4g_mmio_length, HVM_BELOW_4G_MMIO_LENGTH);
SAME_STRUCT(x86::HvmInfoTable, hvm_info_table, signature, length, checksum, apic_mode, nr_vcpus, low_mem_pgend, reserved_mem_pgstart,
            high_mem_pgend, vcpu_online);

SAME(x86::xen_cpuid::leaf(3), XEN_CPUID_LEAF(3));
