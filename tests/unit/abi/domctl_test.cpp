// ABI comparison: domctl.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/domctl.h>

#include "hypervisor/abi/domctl.hpp"
#include "hypervisor/abi/x86/domctl.hpp"

// domctl.hpp
SAME(domctl_interface_version, XEN_DOMCTL_INTERFACE_VERSION);
SAME(cdf::hvm, XEN_DOMCTL_CDF_hvm);
SAME(cdf::hap, XEN_DOMCTL_CDF_hap);
SAME(cdf::s3_integrity, XEN_DOMCTL_CDF_s3_integrity);
SAME(cdf::oos_off, XEN_DOMCTL_CDF_oos_off);
SAME(cdf::xs_domain, XEN_DOMCTL_CDF_xs_domain);
SAME(cdf::iommu, XEN_DOMCTL_CDF_iommu);
SAME(cdf::nested_virt, XEN_DOMCTL_CDF_nested_virt);
SAME(cdf::vpmu, XEN_DOMCTL_CDF_vpmu);
SAME(cdf::max, XEN_DOMCTL_CDF_MAX);
SAME(domctl_iommu_no_sharept, XEN_DOMCTL_IOMMU_no_sharept);
SAME(domctl_iommu_max, XEN_DOMCTL_IOMMU_MAX);
SAME(domctl_grant_version_mask, XEN_DOMCTL_GRANT_version_mask);
SAME(dominf::dying, XEN_DOMINF_dying);
SAME(dominf::hvm_guest, XEN_DOMINF_hvm_guest);
SAME(dominf::shutdown, XEN_DOMINF_shutdown);
SAME(dominf::paused, XEN_DOMINF_paused);
SAME(dominf::blocked, XEN_DOMINF_blocked);
SAME(dominf::running, XEN_DOMINF_running);
SAME(dominf::debugged, XEN_DOMINF_debugged);
SAME(dominf::xs_domain, XEN_DOMINF_xs_domain);
SAME(dominf::hap, XEN_DOMINF_hap);
SAME(dominf::shutdownmask, XEN_DOMINF_shutdownmask);
SAME(dominf::shutdownshift, XEN_DOMINF_shutdownshift);
SAME(invalid_max_vcpu_id, XEN_INVALID_MAX_VCPU_ID);
SAME(pfinfo::ltab_shift, XEN_DOMCTL_PFINFO_LTAB_SHIFT);
SAME(pfinfo::notab, XEN_DOMCTL_PFINFO_NOTAB);
SAME(pfinfo::l1tab, XEN_DOMCTL_PFINFO_L1TAB);
SAME(pfinfo::l2tab, XEN_DOMCTL_PFINFO_L2TAB);
SAME(pfinfo::l3tab, XEN_DOMCTL_PFINFO_L3TAB);
SAME(pfinfo::l4tab, XEN_DOMCTL_PFINFO_L4TAB);
SAME(pfinfo::ltabtype_mask, XEN_DOMCTL_PFINFO_LTABTYPE_MASK);
SAME(pfinfo::lpintab, XEN_DOMCTL_PFINFO_LPINTAB);
SAME(pfinfo::xtab, XEN_DOMCTL_PFINFO_XTAB);
SAME(pfinfo::xalloc, XEN_DOMCTL_PFINFO_XALLOC);
SAME(pfinfo::broken, XEN_DOMCTL_PFINFO_BROKEN);
SAME(pfinfo::ltab_mask, XEN_DOMCTL_PFINFO_LTAB_MASK);
SAME(shadow_mode::enable_refcount, XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT);
SAME(shadow_mode::enable_log_dirty, XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY);
SAME(shadow_mode::enable_translate, XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE);
SAME(shadow_mode::enable_external, XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL);
SAME(shadow_mode::logdirty_final, XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL);
SAME(vcpuaffinity::hard, XEN_VCPUAFFINITY_HARD);
SAME(vcpuaffinity::soft, XEN_VCPUAFFINITY_SOFT);
SAME(vcpuaffinity::force, XEN_VCPUAFFINITY_FORCE);
SAME(domctl_schedrt_extra, XEN_DOMCTL_SCHEDRT_extra);
SAME(domctl_dev_rdm_relaxed, XEN_DOMCTL_DEV_RDM_RELAXED);
SAME(dpci_remove_mapping, DPCI_REMOVE_MAPPING);
SAME(dpci_add_mapping, DPCI_ADD_MAPPING);
SAME(debug_op_single_step_off, XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF);
SAME(debug_op_single_step_on, XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON);
SAME_ENUM(DomctlCmd, XEN_DOMCTL_, createdomain, destroydomain, pausedomain, unpausedomain, getdomaininfo, setvcpuaffinity, shadow_op,
          max_mem, setvcpucontext, getvcpucontext, getvcpuinfo, max_vcpus, scheduler_op, setdomainhandle, setdebugging, irq_permission,
          iomem_permission, ioport_permission, hypercall_init, settimeoffset, getvcpuaffinity, real_mode_area, resumedomain, sendtrigger,
          subscribe, gethvmcontext, sethvmcontext, set_address_size, get_address_size, assign_device, bind_pt_irq, memory_mapping,
          ioport_mapping, set_ext_vcpucontext, get_ext_vcpucontext, set_opt_feature, test_assign_device, set_target, deassign_device,
          unbind_pt_irq, get_device_group, debug_op, gethvmcontext_partial, vm_event_op, mem_sharing_op, gettscinfo, settscinfo,
          getpageframeinfo3, setvcpuextstate, getvcpuextstate, set_access_required, audit_p2m, set_virq_handler, set_broken_page_p2m,
          setnodeaffinity, getnodeaffinity, cacheflush, get_vcpu_msrs, set_vcpu_msrs, setvnumainfo, psr_cmt_op, monitor_op, psr_alloc,
          soft_reset, vuart_op, get_cpu_policy, set_cpu_policy, vmtrace_op, get_paging_mempool_size, set_paging_mempool_size,
          gdbsx_guestmemio, gdbsx_pausevcpu, gdbsx_unpausevcpu, gdbsx_domstatus);
SAME(ShadowOp::off, XEN_DOMCTL_SHADOW_OP_OFF);
SAME(ShadowOp::enable_test, XEN_DOMCTL_SHADOW_OP_ENABLE_TEST);
SAME(ShadowOp::enable_logdirty, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
SAME(ShadowOp::clean, XEN_DOMCTL_SHADOW_OP_CLEAN);
SAME(ShadowOp::peek, XEN_DOMCTL_SHADOW_OP_PEEK);
SAME(ShadowOp::get_allocation, XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION);
SAME(ShadowOp::set_allocation, XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION);
SAME(ShadowOp::enable, XEN_DOMCTL_SHADOW_OP_ENABLE);
SAME(SchedulerId::credit, XEN_SCHEDULER_CREDIT);
SAME(SchedulerId::credit2, XEN_SCHEDULER_CREDIT2);
SAME(SchedulerId::arinc653, XEN_SCHEDULER_ARINC653);
SAME(SchedulerId::rtds, XEN_SCHEDULER_RTDS);
SAME(SchedulerId::null, XEN_SCHEDULER_NULL);
SAME_ENUM(DomctlSchedOpCmd, XEN_DOMCTL_SCHEDOP_, putinfo, getinfo, putvcpuinfo, getvcpuinfo);
SAME(SendTrigger::nmi, XEN_DOMCTL_SENDTRIGGER_NMI);
SAME(SendTrigger::reset, XEN_DOMCTL_SENDTRIGGER_RESET);
SAME(SendTrigger::init, XEN_DOMCTL_SENDTRIGGER_INIT);
SAME(SendTrigger::power, XEN_DOMCTL_SENDTRIGGER_POWER);
SAME(SendTrigger::sleep, XEN_DOMCTL_SENDTRIGGER_SLEEP);
SAME(AssignDeviceKind::pci, XEN_DOMCTL_DEV_PCI);
SAME(AssignDeviceKind::dt, XEN_DOMCTL_DEV_DT);
SAME(PtIrqType::pci, PT_IRQ_TYPE_PCI);
SAME(PtIrqType::isa, PT_IRQ_TYPE_ISA);
SAME(PtIrqType::msi, PT_IRQ_TYPE_MSI);
SAME(PtIrqType::msi_translate, PT_IRQ_TYPE_MSI_TRANSLATE);
SAME(PtIrqType::spi, PT_IRQ_TYPE_SPI);
SAME_STRUCT(DomctlCreatedomain, xen_domctl_createdomain, ssidref, handle, flags, iommu_opts, max_vcpus, max_evtchn_port, max_grant_frames,
            max_maptrack_frames, grant_opts, vmtrace_size, cpupool_id, arch);
SAME_STRUCT(DomctlGetdomaininfo, xen_domctl_getdomaininfo, domain, pad1, flags, tot_pages, max_pages, outstanding_pages, shr_pages,
            paged_pages, shared_info_frame, cpu_time, nr_online_vcpus, max_vcpu_id, ssidref, handle, cpupool, gpaddr_bits, pad2,
            arch_config);
SAME_STRUCT(DomctlGetpageframeinfo3, xen_domctl_getpageframeinfo3, num, array);
SAME_STRUCT(DomctlShadowOpStats, xen_domctl_shadow_op_stats, fault_count, dirty_count);
SAME_STRUCT(DomctlShadowOp, xen_domctl_shadow_op, op, mode, mb, dirty_bitmap, pages, stats);
SAME_STRUCT(DomctlMaxMem, xen_domctl_max_mem, max_memkb);
SAME_STRUCT(DomctlVcpucontext, xen_domctl_vcpucontext, vcpu, ctxt);
SAME_STRUCT(DomctlGetvcpuinfo, xen_domctl_getvcpuinfo, vcpu, online, blocked, running, cpu_time, cpu);
SAME_STRUCT(DomctlNodeaffinity, xen_domctl_nodeaffinity, nodemap);
SAME_STRUCT(DomctlVcpuaffinity, xen_domctl_vcpuaffinity, vcpu, flags, cpumap_hard, cpumap_soft);
SAME_STRUCT(DomctlMaxVcpus, xen_domctl_max_vcpus, max);
SAME_STRUCT(DomctlSchedCredit, xen_domctl_sched_credit, weight, cap);
SAME_STRUCT(DomctlSchedCredit2, xen_domctl_sched_credit2, weight, cap);
SAME_STRUCT(DomctlSchedRtds, xen_domctl_sched_rtds, period, budget, flags);
SAME_STRUCT(DomctlSchedparamVcpu, xen_domctl_schedparam_vcpu, u, u.credit, u.credit2, u.rtds, vcpuid);
SAME_STRUCT(DomctlSchedulerOp, xen_domctl_scheduler_op, sched_id, cmd, u, u.credit, u.credit2, u.rtds, u.v, u.v.vcpus, u.v.nr_vcpus,
            u.v.padding);
SAME_STRUCT(DomctlSetdomainhandle, xen_domctl_setdomainhandle, handle);
SAME_STRUCT(DomctlSetdebugging, xen_domctl_setdebugging, enable);
SAME_STRUCT(DomctlIrqPermission, xen_domctl_irq_permission, pirq, allow_access, pad);
SAME_STRUCT(DomctlIomemPermission, xen_domctl_iomem_permission, first_mfn, nr_mfns, allow_access);
SAME_STRUCT(DomctlIoportPermission, xen_domctl_ioport_permission, first_port, nr_ports, allow_access);
SAME_STRUCT(DomctlHypercallInit, xen_domctl_hypercall_init, gmfn);
SAME_STRUCT(DomctlSettimeoffset, xen_domctl_settimeoffset, time_offset_seconds);
SAME_STRUCT(DomctlHvmcontext, xen_domctl_hvmcontext, size, buffer);
SAME_STRUCT(DomctlHvmcontextPartial, xen_domctl_hvmcontext_partial, type, instance, bufsz, buffer);
SAME_STRUCT(DomctlAddressSize, xen_domctl_address_size, size);
SAME_STRUCT(DomctlSendtrigger, xen_domctl_sendtrigger, trigger, vcpu);
SAME_STRUCT(DomctlAssignDevice, xen_domctl_assign_device, dev, flags, u, u.pci, u.pci.machine_sbdf, u.dt, u.dt.size, u.dt.path);
SAME_STRUCT(DomctlGetDeviceGroup, xen_domctl_get_device_group, machine_sbdf, max_sdevs, num_sdevs, sdev_array);
SAME_STRUCT(DomctlBindPtIrq, xen_domctl_bind_pt_irq, machine_irq, irq_type, u, u.isa, u.isa.isa_irq, u.pci, u.pci.bus, u.pci.device,
            u.pci.intx, u.msi, u.msi.gvec, u.msi.gflags, u.msi.gtable, u.spi, u.spi.spi);
SAME_STRUCT(DomctlMemoryMapping, xen_domctl_memory_mapping, first_gfn, first_mfn, nr_mfns, add_mapping, padding);
SAME_STRUCT(DomctlIoportMapping, xen_domctl_ioport_mapping, first_gport, first_mport, nr_ports, add_mapping);
SAME_STRUCT(DomctlSetTarget, xen_domctl_set_target, target);
SAME_STRUCT(DomctlSubscribe, xen_domctl_subscribe, port);
SAME_STRUCT(DomctlDebugOp, xen_domctl_debug_op, op, vcpu);
SAME_STRUCT(DomctlTscInfo, xen_domctl_tsc_info, tsc_mode, gtsc_khz, incarnation, pad, elapsed_nsec);
SAME_STRUCT(DomctlSetAccessRequired, xen_domctl_set_access_required, access_required);
SAME_STRUCT(DomctlSetVirqHandler, xen_domctl_set_virq_handler, virq);
SAME_STRUCT(DomctlSetBrokenPageP2m, xen_domctl_set_broken_page_p2m, pfn);
SAME_STRUCT(DomctlCacheflush, xen_domctl_cacheflush, start_pfn, nr_pfns);
SAME_STRUCT(DomctlPagingMempool, xen_domctl_paging_mempool, size);
SAME_STRUCT(DomctlVnuma, xen_domctl_vnuma, nr_vnodes, nr_vmemranges, nr_vcpus, pad, vdistance, vcpu_to_vnode, vnode_to_pnode, vmemrange);
SAME_STRUCT(Domctl, xen_domctl, cmd, interface_version, domain, u, u.createdomain, u.getdomaininfo, u.getpageframeinfo3, u.nodeaffinity,
            u.vcpuaffinity, u.shadow_op, u.max_mem, u.vcpucontext, u.getvcpuinfo, u.max_vcpus, u.scheduler_op, u.setdomainhandle,
            u.setdebugging, u.irq_permission, u.iomem_permission, u.ioport_permission, u.hypercall_init, u.settimeoffset, u.tsc_info,
            u.hvmcontext, u.hvmcontext_partial, u.address_size, u.sendtrigger, u.get_device_group, u.assign_device, u.bind_pt_irq,
            u.memory_mapping, u.ioport_mapping, u.ext_vcpucontext, u.set_target, u.subscribe, u.debug_op, u.cpu_policy, u.vcpuextstate,
            u.vcpu_msrs, u.access_required, u.set_virq_handler, u.set_broken_page_p2m, u.cacheflush, u.vnuma, u.paging_mempool, u.pad);

// x86/domctl.hpp
SAME(x86::vmsi::dest_id_mask, XEN_DOMCTL_VMSI_X86_DEST_ID_MASK);
SAME(x86::vmsi::rh_mask, XEN_DOMCTL_VMSI_X86_RH_MASK);
SAME(x86::vmsi::dm_mask, XEN_DOMCTL_VMSI_X86_DM_MASK);
SAME(x86::vmsi::deliv_mask, XEN_DOMCTL_VMSI_X86_DELIV_MASK);
SAME(x86::vmsi::trig_mask, XEN_DOMCTL_VMSI_X86_TRIG_MASK);
SAME(x86::vmsi::unmasked, XEN_DOMCTL_VMSI_X86_UNMASKED);
SAME_STRUCT(x86::DomctlExtVcpucontext, xen_domctl_ext_vcpucontext, vcpu, size, syscall32_callback_eip, sysenter_callback_eip,
            syscall32_callback_cs, sysenter_callback_cs, syscall32_disables_events, sysenter_disables_events, mcg_cap, vmce);
SAME_STRUCT(x86::DomctlCpuPolicy, xen_domctl_cpu_policy, nr_leaves, nr_msrs, leaves, msrs, err_leaf, err_subleaf, err_msr);
SAME_STRUCT(x86::DomctlVcpuextstate, xen_domctl_vcpuextstate, vcpu, xfeature_mask, size, buffer);
SAME_STRUCT(x86::DomctlVcpuMsr, xen_domctl_vcpu_msr, index, reserved, value);
SAME_STRUCT(x86::DomctlVcpuMsrs, xen_domctl_vcpu_msrs, vcpu, msr_count, msrs);
