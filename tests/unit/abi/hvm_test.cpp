// ABI comparison: hvm.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/hvm/params.h>

#include "hypervisor/abi/dm_op.hpp"
#include "hypervisor/abi/hvm_op.hpp"
#include "hypervisor/abi/hvm_params.hpp"
#include "hypervisor/abi/ioreq.hpp"

// hvm_op.hpp
SAME_ENUM(HvmOp, HVMOP_, set_param, get_param, flush_tlbs, pagetable_dying, get_time, xentrace, set_mem_access, get_mem_access,
          get_mem_type, set_evtchn_upcall_vector, guest_request_vm_event, altp2m);
SAME_ENUM(HvmMemType, HVMMEM_, ram_rw, ram_ro, mmio_dm, unused, ioreq_server);
SAME_STRUCT(HvmParamArg, xen_hvm_param, domid, pad, index, value);
SAME_STRUCT(HvmPagetableDying, xen_hvm_pagetable_dying, domid, pad, gpa);
SAME_STRUCT(HvmGetTime, xen_hvm_get_time, now);
SAME_STRUCT(HvmGetMemType, xen_hvm_get_mem_type, domid, mem_type, pad, pfn);
SAME_STRUCT(HvmEvtchnUpcallVector, xen_hvm_evtchn_upcall_vector, vcpu, vector);

// hvm_params.hpp
SAME(hvm_nr_params, HVM_NR_PARAMS);
SAME(hvm_callback_irq_type_mask, HVM_PARAM_CALLBACK_IRQ_TYPE_MASK);
SAME(hvmpv::base_freq, HVMPV_base_freq);
SAME(hvmpv::no_freq, HVMPV_no_freq);
SAME(hvmpv::time_ref_count, HVMPV_time_ref_count);
SAME(hvmpv::reference_tsc, HVMPV_reference_tsc);
SAME(hvmpv::hcall_remote_tlb_flush, HVMPV_hcall_remote_tlb_flush);
SAME(hvmpv::apic_assist, HVMPV_apic_assist);
SAME(hvmpv::crash_ctl, HVMPV_crash_ctl);
SAME(hvmpv::synic, HVMPV_synic);
SAME(hvmpv::stimer, HVMPV_stimer);
SAME(hvmpv::hcall_ipi, HVMPV_hcall_ipi);
SAME(hvmpv::ex_processor_masks, HVMPV_ex_processor_masks);
SAME(hvmpv::no_vp_limit, HVMPV_no_vp_limit);
SAME(hvmpv::cpu_hotplug, HVMPV_cpu_hotplug);
SAME(hvmpv::feature_mask, HVMPV_feature_mask);
SAME(hvm_mca_cap_lmce, XEN_HVM_MCA_CAP_LMCE);
SAME(hvm_mca_cap_mask, XEN_HVM_MCA_CAP_MASK);
SAME(HvmParam::callback_irq, HVM_PARAM_CALLBACK_IRQ);
SAME(HvmParam::store_pfn, HVM_PARAM_STORE_PFN);
SAME(HvmParam::store_evtchn, HVM_PARAM_STORE_EVTCHN);
SAME(HvmParam::pae_enabled, HVM_PARAM_PAE_ENABLED);
SAME(HvmParam::ioreq_pfn, HVM_PARAM_IOREQ_PFN);
SAME(HvmParam::bufioreq_pfn, HVM_PARAM_BUFIOREQ_PFN);
SAME(HvmParam::viridian, HVM_PARAM_VIRIDIAN);
SAME(HvmParam::timer_mode, HVM_PARAM_TIMER_MODE);
SAME(HvmParam::hpet_enabled, HVM_PARAM_HPET_ENABLED);
SAME(HvmParam::ident_pt, HVM_PARAM_IDENT_PT);
SAME(HvmParam::dm_domain, HVM_PARAM_DM_DOMAIN);
SAME(HvmParam::acpi_s_state, HVM_PARAM_ACPI_S_STATE);
SAME(HvmParam::vm86_tss, HVM_PARAM_VM86_TSS);
SAME(HvmParam::vpt_align, HVM_PARAM_VPT_ALIGN);
SAME(HvmParam::console_pfn, HVM_PARAM_CONSOLE_PFN);
SAME(HvmParam::console_evtchn, HVM_PARAM_CONSOLE_EVTCHN);
SAME(HvmParam::acpi_ioports_location, HVM_PARAM_ACPI_IOPORTS_LOCATION);
SAME(HvmParam::memory_event_cr0, HVM_PARAM_MEMORY_EVENT_CR0);
SAME(HvmParam::memory_event_cr3, HVM_PARAM_MEMORY_EVENT_CR3);
SAME(HvmParam::memory_event_cr4, HVM_PARAM_MEMORY_EVENT_CR4);
SAME(HvmParam::memory_event_int3, HVM_PARAM_MEMORY_EVENT_INT3);
SAME(HvmParam::nestedhvm, HVM_PARAM_NESTEDHVM);
SAME(HvmParam::memory_event_single_step, HVM_PARAM_MEMORY_EVENT_SINGLE_STEP);
SAME(HvmParam::bufioreq_evtchn, HVM_PARAM_BUFIOREQ_EVTCHN);
SAME(HvmParam::paging_ring_pfn, HVM_PARAM_PAGING_RING_PFN);
SAME(HvmParam::monitor_ring_pfn, HVM_PARAM_MONITOR_RING_PFN);
SAME(HvmParam::sharing_ring_pfn, HVM_PARAM_SHARING_RING_PFN);
SAME(HvmParam::memory_event_msr, HVM_PARAM_MEMORY_EVENT_MSR);
SAME(HvmParam::triple_fault_reason, HVM_PARAM_TRIPLE_FAULT_REASON);
SAME(HvmParam::ioreq_server_pfn, HVM_PARAM_IOREQ_SERVER_PFN);
SAME(HvmParam::nr_ioreq_server_pages, HVM_PARAM_NR_IOREQ_SERVER_PAGES);
SAME(HvmParam::vm_generation_id_addr, HVM_PARAM_VM_GENERATION_ID_ADDR);
SAME(HvmParam::altp2m, HVM_PARAM_ALTP2M);
SAME(HvmParam::x87_fip_width, HVM_PARAM_X87_FIP_WIDTH);
SAME(HvmParam::vm86_tss_sized, HVM_PARAM_VM86_TSS_SIZED);
SAME(HvmParam::mca_cap, HVM_PARAM_MCA_CAP);
SAME(HvmCallbackType::gsi, HVM_PARAM_CALLBACK_TYPE_GSI);
SAME(HvmCallbackType::pci_intx, HVM_PARAM_CALLBACK_TYPE_PCI_INTX);
SAME(HvmCallbackType::vector, HVM_PARAM_CALLBACK_TYPE_VECTOR);
SAME_ENUM(HvmTimerMode, HVMPTM_, delay_for_missed_ticks, no_delay_for_missed_ticks, no_missed_ticks_pending, one_missed_tick_pending);
SAME_ENUM(Altp2mMode, XEN_ALTP2M_, disabled, mixed, external, limited);

// dm_op.hpp
SAME(dmop_no_gfns, XEN_DMOP_no_gfns);
SAME(ioreq_mem_access_read, XEN_DMOP_IOREQ_MEM_ACCESS_READ);
SAME(ioreq_mem_access_write, XEN_DMOP_IOREQ_MEM_ACCESS_WRITE);
SAME_ENUM(DmOpCmd, XEN_DMOP_, create_ioreq_server, get_ioreq_server_info, map_io_range_to_ioreq_server, unmap_io_range_from_ioreq_server,
          set_ioreq_server_state, destroy_ioreq_server, track_dirty_vram, set_pci_intx_level, set_isa_irq_level, set_pci_link_route,
          modified_memory, set_mem_type, inject_event, inject_msi, map_mem_type_to_ioreq_server, remote_shutdown, relocate_memory,
          pin_memory_cacheattr, set_irq_level, nr_vcpus);
SAME(BufioreqMode::off, HVM_IOREQSRV_BUFIOREQ_OFF);
SAME(BufioreqMode::legacy, HVM_IOREQSRV_BUFIOREQ_LEGACY);
SAME(BufioreqMode::atomic, HVM_IOREQSRV_BUFIOREQ_ATOMIC);
SAME(IoRangeType::port, XEN_DMOP_IO_RANGE_PORT);
SAME(IoRangeType::memory, XEN_DMOP_IO_RANGE_MEMORY);
SAME(IoRangeType::pci, XEN_DMOP_IO_RANGE_PCI);
SAME_ENUM(DmEventType, XEN_DMOP_EVENT_, ext_int, nmi, hw_exc, sw_int, pri_sw_exc, sw_exc);
SAME(MemCacheattr::uc, XEN_DMOP_MEM_CACHEATTR_UC);
SAME(MemCacheattr::wc, XEN_DMOP_MEM_CACHEATTR_WC);
SAME(MemCacheattr::wt, XEN_DMOP_MEM_CACHEATTR_WT);
SAME(MemCacheattr::wp, XEN_DMOP_MEM_CACHEATTR_WP);
SAME(MemCacheattr::wb, XEN_DMOP_MEM_CACHEATTR_WB);
SAME(MemCacheattr::ucm, XEN_DMOP_MEM_CACHEATTR_UCM);
SAME(MemCacheattr::delete_range, XEN_DMOP_DELETE_MEM_CACHEATTR);
SAME_STRUCT(DmOpCreateIoreqServer, xen_dm_op_create_ioreq_server, handle_bufioreq, pad, id);
SAME_STRUCT(DmOpGetIoreqServerInfo, xen_dm_op_get_ioreq_server_info, id, flags, bufioreq_port, ioreq_gfn, bufioreq_gfn);
SAME_STRUCT(DmOpIoreqServerRange, xen_dm_op_ioreq_server_range, id, pad, type, start, end);
SAME_STRUCT(DmOpSetIoreqServerState, xen_dm_op_set_ioreq_server_state, id, enabled, pad);
SAME_STRUCT(DmOpDestroyIoreqServer, xen_dm_op_destroy_ioreq_server, id, pad);
SAME_STRUCT(DmOpTrackDirtyVram, xen_dm_op_track_dirty_vram, nr, pad, first_pfn);
SAME_STRUCT(DmOpSetPciIntxLevel, xen_dm_op_set_pci_intx_level, domain, bus, device, intx, level);
SAME_STRUCT(DmOpSetIsaIrqLevel, xen_dm_op_set_isa_irq_level, isa_irq, level);
SAME_STRUCT(DmOpSetPciLinkRoute, xen_dm_op_set_pci_link_route, link, isa_irq);
SAME_STRUCT(DmOpModifiedMemory, xen_dm_op_modified_memory, nr_extents, opaque);
SAME_STRUCT(DmOpModifiedMemoryExtent, xen_dm_op_modified_memory_extent, nr, pad, first_pfn);
SAME_STRUCT(DmOpSetMemType, xen_dm_op_set_mem_type, nr, mem_type, pad, first_pfn);
SAME_STRUCT(DmOpInjectEvent, xen_dm_op_inject_event, vcpuid, vector, type, insn_len, pad0, error_code, pad1, cr2);
SAME_STRUCT(DmOpInjectMsi, xen_dm_op_inject_msi, data, pad, addr);
SAME_STRUCT(DmOpMapMemTypeToIoreqServer, xen_dm_op_map_mem_type_to_ioreq_server, id, type, flags, opaque);
SAME_STRUCT(DmOpRemoteShutdown, xen_dm_op_remote_shutdown, reason);
SAME_STRUCT(DmOpRelocateMemory, xen_dm_op_relocate_memory, size, pad, src_gfn, dst_gfn);
SAME_STRUCT(DmOpPinMemoryCacheattr, xen_dm_op_pin_memory_cacheattr, start, end, type, pad);
SAME_STRUCT(DmOpSetIrqLevel, xen_dm_op_set_irq_level, irq, level, pad);
SAME_STRUCT(DmOpNrVcpus, xen_dm_op_nr_vcpus, vcpus);
SAME_STRUCT(DmOp, xen_dm_op, op, pad, u, u.create_ioreq_server, u.get_ioreq_server_info, u.map_io_range_to_ioreq_server,
            u.unmap_io_range_from_ioreq_server, u.set_ioreq_server_state, u.destroy_ioreq_server, u.track_dirty_vram, u.set_pci_intx_level,
            u.set_isa_irq_level, u.set_irq_level, u.set_pci_link_route, u.modified_memory, u.set_mem_type, u.inject_event, u.inject_msi,
            u.map_mem_type_to_ioreq_server, u.remote_shutdown, u.relocate_memory, u.pin_memory_cacheattr, u.nr_vcpus);
SAME_STRUCT(DmOpBuf, xen_dm_op_buf, h, size);

// ioreq.hpp
SAME(ioreq_write, IOREQ_WRITE);
SAME(ioreq_read, IOREQ_READ);
SAME(ioreq_buffer_slot_num, IOREQ_BUFFER_SLOT_NUM);
SAME(acpi_ports_v0::pm1a_evt, ACPI_PM1A_EVT_BLK_ADDRESS_V0);
SAME(acpi_ports_v0::pm1a_cnt, ACPI_PM1A_CNT_BLK_ADDRESS_V0);
SAME(acpi_ports_v0::pm_tmr, ACPI_PM_TMR_BLK_ADDRESS_V0);
SAME(acpi_ports_v0::gpe0, ACPI_GPE0_BLK_ADDRESS_V0);
SAME(acpi_ports_v0::gpe0_len, ACPI_GPE0_BLK_LEN_V0);
SAME(acpi_ports_v1::pm1a_evt, ACPI_PM1A_EVT_BLK_ADDRESS_V1);
SAME(acpi_ports_v1::pm1a_cnt, ACPI_PM1A_CNT_BLK_ADDRESS_V1);
SAME(acpi_ports_v1::pm_tmr, ACPI_PM_TMR_BLK_ADDRESS_V1);
SAME(acpi_ports_v1::gpe0, ACPI_GPE0_BLK_ADDRESS_V1);
SAME(acpi_ports_v1::gpe0_len, ACPI_GPE0_BLK_LEN_V1);
SAME(IoreqState::none, STATE_IOREQ_NONE);
SAME(IoreqState::ready, STATE_IOREQ_READY);
SAME(IoreqState::inprocess, STATE_IOREQ_INPROCESS);
SAME(IoreqState::resp_ready, STATE_IORESP_READY);
SAME(IoreqType::pio, IOREQ_TYPE_PIO);
SAME(IoreqType::copy, IOREQ_TYPE_COPY);
SAME(IoreqType::pci_config, IOREQ_TYPE_PCI_CONFIG);
SAME(IoreqType::timeoffset, IOREQ_TYPE_TIMEOFFSET);
SAME(IoreqType::invalidate, IOREQ_TYPE_INVALIDATE);
SAME_STRUCT(Ioreq, ioreq, addr, data, count, size, vp_eport, type);
SAME_STRUCT(SharedIopage, shared_iopage, vcpu_ioreq);
SAME_STRUCT(BufIoreq, buf_ioreq, type, data);
SAME_STRUCT(BufferedIopage, buffered_iopage, read_pointer, write_pointer, buf_ioreq);

SAME(dmop_pci_sbdf(1, 2, 3, 4), XEN_DMOP_PCI_SBDF(1, 2, 3, 4));
SAME(dmop_pci_sbdf(~0u, ~0u, ~0u, ~0u), XEN_DMOP_PCI_SBDF(~0u, ~0u, ~0u, ~0u));

TEST(AbiHvm, BitFieldsLieWhereTheABIHasThem) {
    SAME_BITS(Ioreq, ioreq, state);
    SAME_BITS(Ioreq, ioreq, data_is_ptr);
    SAME_BITS(Ioreq, ioreq, dir);
    SAME_BITS(Ioreq, ioreq, df);
    SAME_BITS(BufIoreq, buf_ioreq, pad);
    SAME_BITS(BufIoreq, buf_ioreq, dir);
    SAME_BITS(BufIoreq, buf_ioreq, size);
    SAME_BITS(BufIoreq, buf_ioreq, addr);
}
