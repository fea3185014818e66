// ABI comparison: basics.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/elfnote.h>
#include <xen/nmi.h>
#include <xen/version.h>

#include "hypervisor/abi/callback.hpp"
#include "hypervisor/abi/elfnote.hpp"
#include "hypervisor/abi/features.hpp"
#include "hypervisor/abi/version.hpp"
#include "hypervisor/abi/xen.hpp"

// xen.hpp
SAME(latest_interface_version, __XEN_LATEST_INTERFACE_VERSION__);
SAME(hypercall::set_trap_table, __HYPERVISOR_set_trap_table);
SAME(hypercall::mmu_update, __HYPERVISOR_mmu_update);
SAME(hypercall::set_gdt, __HYPERVISOR_set_gdt);
SAME(hypercall::stack_switch, __HYPERVISOR_stack_switch);
SAME(hypercall::set_callbacks, __HYPERVISOR_set_callbacks);
SAME(hypercall::fpu_taskswitch, __HYPERVISOR_fpu_taskswitch);
SAME(hypercall::sched_op_compat, __HYPERVISOR_sched_op_compat);
SAME(hypercall::platform_op, __HYPERVISOR_platform_op);
SAME(hypercall::set_debugreg, __HYPERVISOR_set_debugreg);
SAME(hypercall::get_debugreg, __HYPERVISOR_get_debugreg);
SAME(hypercall::update_descriptor, __HYPERVISOR_update_descriptor);
SAME(hypercall::memory_op, __HYPERVISOR_memory_op);
SAME(hypercall::multicall, __HYPERVISOR_multicall);
SAME(hypercall::update_va_mapping, __HYPERVISOR_update_va_mapping);
SAME(hypercall::set_timer_op, __HYPERVISOR_set_timer_op);
SAME(hypercall::event_channel_op_compat, __HYPERVISOR_event_channel_op_compat);
SAME(hypercall::xen_version, __HYPERVISOR_xen_version);
SAME(hypercall::console_io, __HYPERVISOR_console_io);
SAME(hypercall::physdev_op_compat, __HYPERVISOR_physdev_op_compat);
SAME(hypercall::grant_table_op, __HYPERVISOR_grant_table_op);
SAME(hypercall::vm_assist, __HYPERVISOR_vm_assist);
SAME(hypercall::update_va_mapping_otherdomain, __HYPERVISOR_update_va_mapping_otherdomain);
SAME(hypercall::iret, __HYPERVISOR_iret);
SAME(hypercall::vcpu_op, __HYPERVISOR_vcpu_op);
SAME(hypercall::set_segment_base, __HYPERVISOR_set_segment_base);
SAME(hypercall::mmuext_op, __HYPERVISOR_mmuext_op);
SAME(hypercall::xsm_op, __HYPERVISOR_xsm_op);
SAME(hypercall::nmi_op, __HYPERVISOR_nmi_op);
SAME(hypercall::sched_op, __HYPERVISOR_sched_op);
SAME(hypercall::callback_op, __HYPERVISOR_callback_op);
SAME(hypercall::xenoprof_op, __HYPERVISOR_xenoprof_op);
SAME(hypercall::event_channel_op, __HYPERVISOR_event_channel_op);
SAME(hypercall::physdev_op, __HYPERVISOR_physdev_op);
SAME(hypercall::hvm_op, __HYPERVISOR_hvm_op);
SAME(hypercall::sysctl, __HYPERVISOR_sysctl);
SAME(hypercall::domctl, __HYPERVISOR_domctl);
SAME(hypercall::kexec_op, __HYPERVISOR_kexec_op);
SAME(hypercall::tmem_op, __HYPERVISOR_tmem_op);
SAME(hypercall::argo_op, __HYPERVISOR_argo_op);
SAME(hypercall::xenpmu_op, __HYPERVISOR_xenpmu_op);
SAME(hypercall::dm_op, __HYPERVISOR_dm_op);
SAME(hypercall::hypfs_op, __HYPERVISOR_hypfs_op);
SAME(hypercall::arch_0, __HYPERVISOR_arch_0);
SAME(hypercall::arch_1, __HYPERVISOR_arch_1);
SAME(hypercall::arch_2, __HYPERVISOR_arch_2);
SAME(hypercall::arch_3, __HYPERVISOR_arch_3);
SAME(hypercall::arch_4, __HYPERVISOR_arch_4);
SAME(hypercall::arch_5, __HYPERVISOR_arch_5);
SAME(hypercall::arch_6, __HYPERVISOR_arch_6);
SAME(hypercall::arch_7, __HYPERVISOR_arch_7);
SAME(domid::first_reserved, DOMID_FIRST_RESERVED);
SAME(domid::self, DOMID_SELF);
SAME(domid::io, DOMID_IO);
SAME(domid::xen, DOMID_XEN);
SAME(domid::cow, DOMID_COW);
SAME(domid::invalid, DOMID_INVALID);
SAME(domid::idle, DOMID_IDLE);
SAME(domid::mask, DOMID_MASK);
SAME(nr_virqs, NR_VIRQS);
SAME(uvmf::none, UVMF_NONE);
SAME(uvmf::tlb_flush, UVMF_TLB_FLUSH);
SAME(uvmf::invlpg, UVMF_INVLPG);
SAME(uvmf::flushtype_mask, UVMF_FLUSHTYPE_MASK);
SAME(uvmf::multi, UVMF_MULTI);
SAME(uvmf::local, UVMF_LOCAL);
SAME(uvmf::all, UVMF_ALL);
SAME(nmi_reason::io_error, XEN_NMIREASON_io_error);
SAME(nmi_reason::pci_serr, XEN_NMIREASON_pci_serr);
SAME(nmi_reason::unknown, XEN_NMIREASON_unknown);
SAME(Virq::timer, VIRQ_TIMER);
SAME(Virq::debug, VIRQ_DEBUG);
SAME(Virq::console, VIRQ_CONSOLE);
SAME(Virq::dom_exc, VIRQ_DOM_EXC);
SAME(Virq::tbuf, VIRQ_TBUF);
SAME(Virq::debugger, VIRQ_DEBUGGER);
SAME(Virq::xenoprof, VIRQ_XENOPROF);
SAME(Virq::con_ring, VIRQ_CON_RING);
SAME(Virq::pcpu_state, VIRQ_PCPU_STATE);
SAME(Virq::mem_event, VIRQ_MEM_EVENT);
SAME(Virq::argo, VIRQ_ARGO);
SAME(Virq::enomem, VIRQ_ENOMEM);
SAME(Virq::xenpmu, VIRQ_XENPMU);
SAME(Virq::arch_0, VIRQ_ARCH_0);
SAME(Virq::arch_1, VIRQ_ARCH_1);
SAME(Virq::arch_2, VIRQ_ARCH_2);
SAME(Virq::arch_3, VIRQ_ARCH_3);
SAME(Virq::arch_4, VIRQ_ARCH_4);
SAME(Virq::arch_5, VIRQ_ARCH_5);
SAME(Virq::arch_6, VIRQ_ARCH_6);
SAME(Virq::arch_7, VIRQ_ARCH_7);
SAME(MmuUpdateType::normal_pt_update, MMU_NORMAL_PT_UPDATE);
SAME(MmuUpdateType::machphys_update, MMU_MACHPHYS_UPDATE);
SAME(MmuUpdateType::pt_update_preserve_ad, MMU_PT_UPDATE_PRESERVE_AD);
SAME(MmuUpdateType::pt_update_no_translate, MMU_PT_UPDATE_NO_TRANSLATE);
SAME(MmuextOpCmd::pin_l1_table, MMUEXT_PIN_L1_TABLE);
SAME(MmuextOpCmd::pin_l2_table, MMUEXT_PIN_L2_TABLE);
SAME(MmuextOpCmd::pin_l3_table, MMUEXT_PIN_L3_TABLE);
SAME(MmuextOpCmd::pin_l4_table, MMUEXT_PIN_L4_TABLE);
SAME(MmuextOpCmd::unpin_table, MMUEXT_UNPIN_TABLE);
SAME(MmuextOpCmd::new_baseptr, MMUEXT_NEW_BASEPTR);
SAME(MmuextOpCmd::tlb_flush_local, MMUEXT_TLB_FLUSH_LOCAL);
SAME(MmuextOpCmd::invlpg_local, MMUEXT_INVLPG_LOCAL);
SAME(MmuextOpCmd::tlb_flush_multi, MMUEXT_TLB_FLUSH_MULTI);
SAME(MmuextOpCmd::invlpg_multi, MMUEXT_INVLPG_MULTI);
SAME(MmuextOpCmd::tlb_flush_all, MMUEXT_TLB_FLUSH_ALL);
SAME(MmuextOpCmd::invlpg_all, MMUEXT_INVLPG_ALL);
SAME(MmuextOpCmd::flush_cache, MMUEXT_FLUSH_CACHE);
SAME(MmuextOpCmd::set_ldt, MMUEXT_SET_LDT);
SAME(MmuextOpCmd::new_user_baseptr, MMUEXT_NEW_USER_BASEPTR);
SAME(MmuextOpCmd::clear_page, MMUEXT_CLEAR_PAGE);
SAME(MmuextOpCmd::copy_page, MMUEXT_COPY_PAGE);
SAME(MmuextOpCmd::flush_cache_global, MMUEXT_FLUSH_CACHE_GLOBAL);
SAME(MmuextOpCmd::mark_super, MMUEXT_MARK_SUPER);
SAME(MmuextOpCmd::unmark_super, MMUEXT_UNMARK_SUPER);
SAME_ENUM(ConsoleIo, CONSOLEIO_, write, read);
SAME_ENUM(VmassistCmd, VMASST_CMD_, enable, disable);
SAME(VmassistType::segments_4gb, VMASST_TYPE_4gb_segments);
SAME(VmassistType::segments_4gb_notify, VMASST_TYPE_4gb_segments_notify);
SAME(VmassistType::writable_pagetables, VMASST_TYPE_writable_pagetables);
SAME(VmassistType::pae_extended_cr3, VMASST_TYPE_pae_extended_cr3);
SAME(VmassistType::architectural_iopl, VMASST_TYPE_architectural_iopl);
SAME(VmassistType::runstate_update_flag, VMASST_TYPE_runstate_update_flag);
SAME(VmassistType::m2p_strict, VMASST_TYPE_m2p_strict);
SAME_ENUM(NmiOp, XENNMI_, register_callback, unregister_callback);
SAME_STRUCT(MmuUpdate, mmu_update, ptr, val);
SAME_STRUCT(MmuextOp, mmuext_op, cmd, arg1, arg1.mfn, arg1.linear_addr, arg2, arg2.nr_ents, arg2.vcpumask, arg2.src_mfn);
SAME_STRUCT(MulticallEntry, multicall_entry, op, result, args);
SAME_STRUCT(NmiCallback, xennmi_callback, handler_address, pad);
SAME_STRUCT(Uuid, xen_uuid_t, a);
SAME_STRUCT(Bitmap, xenctl_bitmap, bitmap, nr_bits);

// features.hpp
SAME(feature_nr_submaps, XENFEAT_NR_SUBMAPS);
SAME(Feature::writable_page_tables, XENFEAT_writable_page_tables);
SAME(Feature::writable_descriptor_tables, XENFEAT_writable_descriptor_tables);
SAME(Feature::auto_translated_physmap, XENFEAT_auto_translated_physmap);
SAME(Feature::supervisor_mode_kernel, XENFEAT_supervisor_mode_kernel);
SAME(Feature::pae_pgdir_above_4gb, XENFEAT_pae_pgdir_above_4gb);
SAME(Feature::mmu_pt_update_preserve_ad, XENFEAT_mmu_pt_update_preserve_ad);
SAME(Feature::highmem_assist, XENFEAT_highmem_assist);
SAME(Feature::gnttab_map_avail_bits, XENFEAT_gnttab_map_avail_bits);
SAME(Feature::hvm_callback_vector, XENFEAT_hvm_callback_vector);
SAME(Feature::hvm_safe_pvclock, XENFEAT_hvm_safe_pvclock);
SAME(Feature::hvm_pirqs, XENFEAT_hvm_pirqs);
SAME(Feature::dom0, XENFEAT_dom0);
SAME(Feature::memory_op_vnode_supported, XENFEAT_memory_op_vnode_supported);
SAME(Feature::arm_smccc_supported, XENFEAT_ARM_SMCCC_supported);
SAME(Feature::linux_rsdp_unrestricted, XENFEAT_linux_rsdp_unrestricted);
SAME(Feature::not_direct_mapped, XENFEAT_not_direct_mapped);
SAME(Feature::direct_mapped, XENFEAT_direct_mapped);

// version.hpp
SAME_ENUM(XenVersionOp, XENVER_, version, extraversion, compile_info, capabilities, changeset, platform_parameters, get_features, pagesize,
          guest_handle, commandline, build_id);
SAME_STRUCT(CompileInfo, xen_compile_info, compiler, compile_by, compile_domain, compile_date);
SAME_STRUCT(PlatformParameters, xen_platform_parameters, virt_start);
SAME_STRUCT(FeatureInfo, xen_feature_info, submap_idx, submap);
SAME_STRUCT(BuildId, xen_build_id, len);

// elfnote.hpp
SAME(elfnote_max, XEN_ELFNOTE_MAX);
SAME(ElfNote::info, XEN_ELFNOTE_INFO);
SAME(ElfNote::entry, XEN_ELFNOTE_ENTRY);
SAME(ElfNote::hypercall_page, XEN_ELFNOTE_HYPERCALL_PAGE);
SAME(ElfNote::virt_base, XEN_ELFNOTE_VIRT_BASE);
SAME(ElfNote::paddr_offset, XEN_ELFNOTE_PADDR_OFFSET);
SAME(ElfNote::xen_version, XEN_ELFNOTE_XEN_VERSION);
SAME(ElfNote::guest_os, XEN_ELFNOTE_GUEST_OS);
SAME(ElfNote::guest_version, XEN_ELFNOTE_GUEST_VERSION);
SAME(ElfNote::loader, XEN_ELFNOTE_LOADER);
SAME(ElfNote::pae_mode, XEN_ELFNOTE_PAE_MODE);
SAME(ElfNote::features, XEN_ELFNOTE_FEATURES);
SAME(ElfNote::bsd_symtab, XEN_ELFNOTE_BSD_SYMTAB);
SAME(ElfNote::hv_start_low, XEN_ELFNOTE_HV_START_LOW);
SAME(ElfNote::l1_mfn_valid, XEN_ELFNOTE_L1_MFN_VALID);
SAME(ElfNote::suspend_cancel, XEN_ELFNOTE_SUSPEND_CANCEL);
SAME(ElfNote::init_p2m, XEN_ELFNOTE_INIT_P2M);
SAME(ElfNote::mod_start_pfn, XEN_ELFNOTE_MOD_START_PFN);
SAME(ElfNote::supported_features, XEN_ELFNOTE_SUPPORTED_FEATURES);
SAME(ElfNote::phys32_entry, XEN_ELFNOTE_PHYS32_ENTRY);
SAME(ElfNote::crash_info, XEN_ELFNOTE_CRASH_INFO);
SAME(ElfNote::crash_regs, XEN_ELFNOTE_CRASH_REGS);
SAME(ElfNote::dumpcore_none, XEN_ELFNOTE_DUMPCORE_NONE);
SAME(ElfNote::dumpcore_header, XEN_ELFNOTE_DUMPCORE_HEADER);
SAME(ElfNote::dumpcore_xen_version, XEN_ELFNOTE_DUMPCORE_XEN_VERSION);
SAME(ElfNote::dumpcore_format_version, XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION);

// callback.hpp
SAME(callback_mask_events, CALLBACKF_mask_events);
SAME(CallbackOp::register_callback, CALLBACKOP_register);
SAME(CallbackOp::unregister_callback, CALLBACKOP_unregister);
SAME_ENUM(CallbackType, CALLBACKTYPE_, event, failsafe, syscall, sysenter_deprecated, nmi, sysenter, syscall32);
SAME_STRUCT(CallbackRegister, callback_register, type, flags, address);
SAME_STRUCT(CallbackUnregister, callback_unregister, type);

// The flexible array begins where our structure ends.
static_assert(sizeof(px::abi::BuildId) == offsetof(xen_build_id, buf));
