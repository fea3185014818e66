// ABI comparison: sysctl.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/sysctl.h>

#include "hypervisor/abi/sysctl.hpp"
#include "hypervisor/abi/sysctl_pm.hpp"

// sysctl.hpp
SAME(sysctl_interface_version, XEN_SYSCTL_INTERFACE_VERSION);
SAME(physcap::hvm, XEN_SYSCTL_PHYSCAP_hvm);
SAME(physcap::pv, XEN_SYSCTL_PHYSCAP_pv);
SAME(physcap::directio, XEN_SYSCTL_PHYSCAP_directio);
SAME(physcap::hap, XEN_SYSCTL_PHYSCAP_hap);
SAME(physcap::shadow, XEN_SYSCTL_PHYSCAP_shadow);
SAME(physcap::iommu_hap_pt_share, XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share);
SAME(physcap::vmtrace, XEN_SYSCTL_PHYSCAP_vmtrace);
SAME(physcap::vpmu, XEN_SYSCTL_PHYSCAP_vpmu);
SAME(physcap::gnttab_v1, XEN_SYSCTL_PHYSCAP_gnttab_v1);
SAME(physcap::gnttab_v2, XEN_SYSCTL_PHYSCAP_gnttab_v2);
SAME(physcap::max, XEN_SYSCTL_PHYSCAP_MAX);
SAME(page_offline::status_mask, PG_OFFLINE_STATUS_MASK);
SAME(page_offline::invalid, PG_OFFLINE_INVALID);
SAME(page_offline::offlined, PG_OFFLINE_OFFLINED);
SAME(page_offline::pending, PG_OFFLINE_PENDING);
SAME(page_offline::failed, PG_OFFLINE_FAILED);
SAME(page_offline::again, PG_OFFLINE_AGAIN);
SAME(page_offline::online_failed, PG_ONLINE_FAILED);
SAME(page_offline::online_onlined, PG_ONLINE_ONLINED);
SAME(page_offline::is_offlined, PG_OFFLINE_STATUS_OFFLINED);
SAME(page_offline::is_online, PG_OFFLINE_STATUS_ONLINE);
SAME(page_offline::is_offline_pending, PG_OFFLINE_STATUS_OFFLINE_PENDING);
SAME(page_offline::is_broken, PG_OFFLINE_STATUS_BROKEN);
SAME(page_offline::misc_mask, PG_OFFLINE_MISC_MASK);
SAME(page_offline::xenpage, PG_OFFLINE_XENPAGE);
SAME(page_offline::dom0page, PG_OFFLINE_DOM0PAGE);
SAME(page_offline::anonymous, PG_OFFLINE_ANONYMOUS);
SAME(page_offline::not_conv_ram, PG_OFFLINE_NOT_CONV_RAM);
SAME(page_offline::owned, PG_OFFLINE_OWNED);
SAME(page_offline::broken, PG_OFFLINE_BROKEN);
SAME(page_offline::online_broken, PG_ONLINE_BROKEN);
SAME(page_offline::owner_shift, PG_OFFLINE_OWNER_SHIFT);
SAME(invalid_core_id, XEN_INVALID_CORE_ID);
SAME(invalid_socket_id, XEN_INVALID_SOCKET_ID);
SAME(invalid_node_id, XEN_INVALID_NODE_ID);
SAME(invalid_dev, XEN_INVALID_DEV);
SAME(invalid_mem_sz, XEN_INVALID_MEM_SZ);
SAME(invalid_node_dist, XEN_INVALID_NODE_DIST);
SAME(cpupool_par_any, XEN_SYSCTL_CPUPOOL_PAR_ANY);
SAME(arinc653_max_domains_per_schedule, ARINC653_MAX_DOMAINS_PER_SCHEDULE);
SAME(sched_ratelimit_max, XEN_SYSCTL_SCHED_RATELIMIT_MAX);
SAME(sched_ratelimit_min, XEN_SYSCTL_SCHED_RATELIMIT_MIN);
SAME(csched_tslice_max, XEN_SYSCTL_CSCHED_TSLICE_MAX);
SAME(csched_tslice_min, XEN_SYSCTL_CSCHED_TSLICE_MIN);
SAME(csched_mgr_dly_max_us, XEN_SYSCTL_CSCHED_MGR_DLY_MAX_US);
SAME(levelcap::faulting, XEN_SYSCTL_CPU_LEVELCAP_faulting);
SAME(levelcap::ecx, XEN_SYSCTL_CPU_LEVELCAP_ecx);
SAME(levelcap::edx, XEN_SYSCTL_CPU_LEVELCAP_edx);
SAME(levelcap::extd_ecx, XEN_SYSCTL_CPU_LEVELCAP_extd_ecx);
SAME(levelcap::extd_edx, XEN_SYSCTL_CPU_LEVELCAP_extd_edx);
SAME(levelcap::xsave_eax, XEN_SYSCTL_CPU_LEVELCAP_xsave_eax);
SAME(levelcap::thermal_ecx, XEN_SYSCTL_CPU_LEVELCAP_thermal_ecx);
SAME(levelcap::l7s0_eax, XEN_SYSCTL_CPU_LEVELCAP_l7s0_eax);
SAME(levelcap::l7s0_ebx, XEN_SYSCTL_CPU_LEVELCAP_l7s0_ebx);
SAME_ENUM(SysctlCmd, XEN_SYSCTL_, readconsole, tbuf_op, physinfo, sched_id, perfc_op, getdomaininfolist, debug_keys, getcpuinfo, availheap,
          get_pmstat, cpu_hotplug, pm_op, page_offline_op, lockprof_op, cputopoinfo, numainfo, cpupool_op, scheduler_op, coverage_op,
          psr_cmt_op, pcitopoinfo, psr_alloc, get_cpu_levelling_caps, get_cpu_featureset, livepatch_op, get_cpu_policy);
SAME_ENUM(TbufOp, XEN_SYSCTL_TBUFOP_, get_info, set_cpu_mask, set_evt_mask, set_size, enable, disable);
SAME_ENUM(PerfcOp, XEN_SYSCTL_PERFCOP_, reset, query);
SAME(CpuHotplugOp::online, XEN_SYSCTL_CPU_HOTPLUG_ONLINE);
SAME(CpuHotplugOp::offline, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE);
SAME(CpuHotplugOp::smt_enable, XEN_SYSCTL_CPU_HOTPLUG_SMT_ENABLE);
SAME(CpuHotplugOp::smt_disable, XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE);
SAME(PageOfflineCmd::offline, sysctl_page_offline);
SAME(PageOfflineCmd::online, sysctl_page_online);
SAME(PageOfflineCmd::query, sysctl_query_page_offline);
SAME(CpupoolOp::create, XEN_SYSCTL_CPUPOOL_OP_CREATE);
SAME(CpupoolOp::destroy, XEN_SYSCTL_CPUPOOL_OP_DESTROY);
SAME(CpupoolOp::info, XEN_SYSCTL_CPUPOOL_OP_INFO);
SAME(CpupoolOp::addcpu, XEN_SYSCTL_CPUPOOL_OP_ADDCPU);
SAME(CpupoolOp::rmcpu, XEN_SYSCTL_CPUPOOL_OP_RMCPU);
SAME(CpupoolOp::movedomain, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN);
SAME(CpupoolOp::freeinfo, XEN_SYSCTL_CPUPOOL_OP_FREEINFO);
SAME_ENUM(SysctlSchedOpCmd, XEN_SYSCTL_SCHEDOP_, putinfo, getinfo);
SAME_ENUM(CpuFeaturesetIndex, XEN_SYSCTL_cpu_featureset_, raw, host, pv, hvm, pv_max, hvm_max);
SAME_ENUM(CpuPolicyIndex, XEN_SYSCTL_cpu_policy_, raw, host, pv_max, hvm_max, pv_default, hvm_default);
SAME_STRUCT(SysctlReadconsole, xen_sysctl_readconsole, clear, incremental, pad0, pad1, index, buffer, count);
SAME_STRUCT(SysctlTbufOp, xen_sysctl_tbuf_op, cmd, cpu_mask, evt_mask, buffer_mfn, size);
SAME_STRUCT(SysctlPhysinfo, xen_sysctl_physinfo, threads_per_core, cores_per_socket, nr_cpus, max_cpu_id, nr_nodes, max_node_id, cpu_khz,
            capabilities, arch_capabilities, pad, total_pages, free_pages, scrub_pages, outstanding_pages, max_mfn, hw_cap);
SAME_STRUCT(SysctlSchedId, xen_sysctl_sched_id, sched_id);
SAME_STRUCT(SysctlPerfcDesc, xen_sysctl_perfc_desc, name, nr_vals);
SAME_STRUCT(SysctlPerfcOp, xen_sysctl_perfc_op, cmd, nr_counters, nr_vals, desc, val);
SAME_STRUCT(SysctlGetdomaininfolist, xen_sysctl_getdomaininfolist, first_domain, max_domains, buffer, num_domains);
SAME_STRUCT(SysctlDebugKeys, xen_sysctl_debug_keys, keys, nr_keys);
SAME_STRUCT(SysctlCpuinfo, xen_sysctl_cpuinfo, idletime);
SAME_STRUCT(SysctlGetcpuinfo, xen_sysctl_getcpuinfo, max_cpus, info, nr_cpus);
SAME_STRUCT(SysctlAvailheap, xen_sysctl_availheap, min_bitwidth, max_bitwidth, node, avail_bytes);
SAME_STRUCT(SysctlCpuHotplug, xen_sysctl_cpu_hotplug, cpu, op);
SAME_STRUCT(SysctlPageOfflineOp, xen_sysctl_page_offline_op, cmd, start, end, status);
SAME_STRUCT(SysctlCputopo, xen_sysctl_cputopo, core, socket, node);
SAME_STRUCT(SysctlCputopoinfo, xen_sysctl_cputopoinfo, num_cpus, cputopo);
SAME_STRUCT(SysctlPcitopoinfo, xen_sysctl_pcitopoinfo, num_devs, devs, nodes);
SAME_STRUCT(SysctlMeminfo, xen_sysctl_meminfo, memsize, memfree);
SAME_STRUCT(SysctlNumainfo, xen_sysctl_numainfo, num_nodes, meminfo, distance);
SAME_STRUCT(SysctlCpupoolOp, xen_sysctl_cpupool_op, op, cpupool_id, sched_id, domid, cpu, n_dom, cpumap);
SAME_STRUCT(SysctlArinc653Schedule, xen_sysctl_arinc653_schedule, major_frame, num_sched_entries, sched_entries,
            sched_entries[0].dom_handle, sched_entries[0].vcpu_id, sched_entries[0].runtime);
SAME_STRUCT(SysctlCreditSchedule, xen_sysctl_credit_schedule, tslice_ms, ratelimit_us, vcpu_migr_delay_us);
SAME_STRUCT(SysctlCredit2Schedule, xen_sysctl_credit2_schedule, ratelimit_us);
SAME_STRUCT(SysctlSchedulerOp, xen_sysctl_scheduler_op, cpupool_id, sched_id, cmd, u, u.sched_arinc653, u.sched_arinc653.schedule,
            u.sched_credit, u.sched_credit2);
SAME_STRUCT(SysctlCpuLevellingCaps, xen_sysctl_cpu_levelling_caps, caps);
SAME_STRUCT(SysctlCpuFeatureset, xen_sysctl_cpu_featureset, index, nr_features, features);
SAME_STRUCT(SysctlCpuPolicy, xen_sysctl_cpu_policy, index, nr_leaves, nr_msrs, leaves, msrs);
SAME_STRUCT(Sysctl, xen_sysctl, cmd, interface_version, u, u.readconsole, u.tbuf_op, u.physinfo, u.cputopoinfo, u.pcitopoinfo, u.numainfo,
            u.sched_id, u.perfc_op, u.getdomaininfolist, u.debug_keys, u.getcpuinfo, u.availheap, u.get_pmstat, u.cpu_hotplug, u.pm_op,
            u.page_offline, u.cpupool_op, u.scheduler_op, u.cpu_levelling_caps, u.cpu_featureset, u.cpu_policy, u.pad);

// sysctl_pm.hpp
SAME(pmstat_category_mask, PMSTAT_CATEGORY_MASK);
SAME(pmstat_px, PMSTAT_PX);
SAME(pmstat_cx, PMSTAT_CX);
SAME(cpufreq_name_len, CPUFREQ_NAME_LEN);
SAME(pm_para_category_mask, PM_PARA_CATEGORY_MASK);
SAME(cpufreq_para, CPUFREQ_PARA);
SAME(cx_unlimited, XEN_SYSCTL_CX_UNLIMITED);
SAME_ENUM(PmstatType, PMSTAT_, get_max_px, get_pxstat, reset_pxstat, get_max_cx, get_cxstat, reset_cxstat);
SAME(CpufreqCtrl::scaling_max_freq, SCALING_MAX_FREQ);
SAME(CpufreqCtrl::scaling_min_freq, SCALING_MIN_FREQ);
SAME(CpufreqCtrl::scaling_setspeed, SCALING_SETSPEED);
SAME(CpufreqCtrl::sampling_rate, SAMPLING_RATE);
SAME(CpufreqCtrl::up_threshold, UP_THRESHOLD);
SAME(PmOpCmd::get_cpufreq_para, GET_CPUFREQ_PARA);
SAME(PmOpCmd::set_cpufreq_gov, SET_CPUFREQ_GOV);
SAME(PmOpCmd::set_cpufreq_para, SET_CPUFREQ_PARA);
SAME(PmOpCmd::get_cpufreq_avgfreq, GET_CPUFREQ_AVGFREQ);
SAME(PmOpCmd::set_sched_opt_smt, XEN_SYSCTL_pm_op_set_sched_opt_smt);
SAME(PmOpCmd::get_max_cstate, XEN_SYSCTL_pm_op_get_max_cstate);
SAME(PmOpCmd::set_max_cstate, XEN_SYSCTL_pm_op_set_max_cstate);
SAME(PmOpCmd::set_vcpu_migration_delay, XEN_SYSCTL_pm_op_set_vcpu_migration_delay);
SAME(PmOpCmd::get_vcpu_migration_delay, XEN_SYSCTL_pm_op_get_vcpu_migration_delay);
SAME(PmOpCmd::enable_turbo, XEN_SYSCTL_pm_op_enable_turbo);
SAME(PmOpCmd::disable_turbo, XEN_SYSCTL_pm_op_disable_turbo);
SAME_STRUCT(PmPxVal, pm_px_val, freq, residency, count);
SAME_STRUCT(PmPxStat, pm_px_stat, total, usable, last, cur, trans_pt, pt);
SAME_STRUCT(PmCxStat, pm_cx_stat, nr, last, idle_time, triggers, residencies, nr_pc, nr_cc, pc, cc);
SAME_STRUCT(SysctlGetPmstat, xen_sysctl_get_pmstat, type, cpuid, u, u.getpx, u.getcx);
SAME_STRUCT(CpufreqUserspace, xen_userspace, scaling_setspeed);
SAME_STRUCT(CpufreqOndemand, xen_ondemand, sampling_rate_max, sampling_rate_min, sampling_rate, up_threshold);
SAME_STRUCT(GetCpufreqPara, xen_get_cpufreq_para, cpu_num, freq_num, gov_num, affected_cpus, scaling_available_frequencies,
            scaling_available_governors, scaling_driver, cpuinfo_cur_freq, cpuinfo_max_freq, cpuinfo_min_freq, scaling_cur_freq,
            scaling_governor, scaling_max_freq, scaling_min_freq, u, u.userspace, u.ondemand, turbo_enabled);
SAME_STRUCT(SetCpufreqGov, xen_set_cpufreq_gov, scaling_governor);
SAME_STRUCT(SetCpufreqPara, xen_set_cpufreq_para, ctrl_type, ctrl_value);
SAME_STRUCT(SysctlPmOp, xen_sysctl_pm_op, cmd, cpuid, u, u.get_para, u.set_gov, u.set_para, u.get_avgfreq, u.set_sched_opt_smt,
            u.get_max_cstate, u.set_max_cstate);
