// System control: the toolstack's calls on the whole machine [xen/public sysctl.h].
//
// Bodies of lock profiling, coverage, psr and live patching are not described yet; their numbers are.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/domctl.hpp"
#include "hypervisor/abi/physdev.hpp"
#include "hypervisor/abi/sysctl_pm.hpp"

namespace px::abi {

inline constexpr u32 sysctl_interface_version = 0x00000015;

enum class SysctlCmd : u32 {
    readconsole = 1,
    tbuf_op = 2,
    physinfo = 3,
    sched_id = 4,
    perfc_op = 5,
    getdomaininfolist = 6,
    debug_keys = 7,
    getcpuinfo = 8,
    availheap = 9,
    get_pmstat = 10,
    cpu_hotplug = 11,
    pm_op = 12,
    page_offline_op = 14,
    lockprof_op = 15,
    cputopoinfo = 16,
    numainfo = 17,
    cpupool_op = 18,
    scheduler_op = 19,
    coverage_op = 20,
    psr_cmt_op = 21,
    pcitopoinfo = 22,
    psr_alloc = 23,
    get_cpu_levelling_caps = 25,
    get_cpu_featureset = 26,
    livepatch_op = 27,
    get_cpu_policy = 29,
};

struct SysctlReadconsole {
    u8 clear;
    u8 incremental;  ///< start at index (OUT: where to go on)
    u8 pad0, pad1;
    u32 index;
    GuestHandle<char> buffer;
    u32 count;  ///< bytes; OUT: written
};

enum class TbufOp : u32 { get_info = 0, set_cpu_mask = 1, set_evt_mask = 2, set_size = 3, enable = 4, disable = 5 };
struct SysctlTbufOp {
    u32 cmd;  ///< TbufOp
    Bitmap cpu_mask;
    u32 evt_mask;
    u64 buffer_mfn;
    u32 size;
};

/// SysctlPhysinfo::capabilities: what kinds of domains the toolstack may ask for.
namespace physcap {
inline constexpr u32 hvm = 1u << 0;
inline constexpr u32 pv = 1u << 1;
inline constexpr u32 directio = 1u << 2;  ///< there is an IOMMU
inline constexpr u32 hap = 1u << 3;
inline constexpr u32 shadow = 1u << 4;
inline constexpr u32 iommu_hap_pt_share = 1u << 5;
inline constexpr u32 vmtrace = 1u << 6;
inline constexpr u32 vpmu = 1u << 7;
inline constexpr u32 gnttab_v1 = 1u << 8;
inline constexpr u32 gnttab_v2 = 1u << 9;
inline constexpr u32 max = gnttab_v2;
}  // namespace physcap

struct SysctlPhysinfo {
    u32 threads_per_core;
    u32 cores_per_socket;
    u32 nr_cpus;  ///< online
    u32 max_cpu_id;
    u32 nr_nodes;  ///< online
    u32 max_node_id;
    u32 cpu_khz;
    u32 capabilities;  ///< physcap
    u32 arch_capabilities;
    u32 pad;
    u64 total_pages;
    u64 free_pages;
    u64 scrub_pages;
    u64 outstanding_pages;
    u64 max_mfn;
    u32 hw_cap[8];  ///< x86: feature words 1d, 1c, e1d, e1c, Da1, 7b0, 7c0, e7d
};

struct SysctlSchedId {
    u32 sched_id;
};

enum class PerfcOp : u32 { reset = 1, query = 2 };
struct SysctlPerfcDesc {
    char name[80];
    u32 nr_vals;
};
struct SysctlPerfcOp {
    u32 cmd;  ///< PerfcOp
    u32 nr_counters;
    u32 nr_vals;
    GuestHandle<SysctlPerfcDesc> desc;
    GuestHandle<u32> val;
};

struct SysctlGetdomaininfolist {
    u16 first_domain;
    u32 max_domains;
    GuestHandle<DomctlGetdomaininfo> buffer;
    u32 num_domains;  ///< OUT
};

struct SysctlDebugKeys {
    GuestHandle<const char> keys;
    u32 nr_keys;
};

struct SysctlCpuinfo {
    u64 idletime;
};  ///< ns
struct SysctlGetcpuinfo {
    u32 max_cpus;
    GuestHandle<SysctlCpuinfo> info;
    u32 nr_cpus;  ///< OUT
};

struct SysctlAvailheap {
    u32 min_bitwidth;  ///< of addresses, 0: any
    u32 max_bitwidth;
    i32 node;  ///< -1: all
    u64 avail_bytes;
};

enum class CpuHotplugOp : u32 { online = 0, offline = 1, smt_enable = 2, smt_disable = 3 };
struct SysctlCpuHotplug {
    u32 cpu;
    u32 op;  ///< CpuHotplugOp
};

enum class PageOfflineCmd : u32 { offline = 1, online = 2, query = 3 };
struct SysctlPageOfflineOp {
    u32 cmd;  ///< PageOfflineCmd
    u32 start;
    u32 end;
    GuestHandle<u32> status;  ///< page_offline each
};
namespace page_offline {
inline constexpr u32 status_mask = 0xff;  ///< of the result of offline and online:
inline constexpr u32 invalid = 1u << 0, offlined = 1u << 1, pending = 1u << 2, failed = 1u << 3, again = 1u << 4;
inline constexpr u32 online_failed = failed, online_onlined = offlined;
/// Results of query.
inline constexpr u32 is_offlined = 1u << 1, is_online = 1u << 2, is_offline_pending = 1u << 3, is_broken = 1u << 4;
inline constexpr u32 misc_mask = 0xff << 4;  ///< why or whose:
inline constexpr u32 xenpage = 1u << 8, dom0page = 1u << 9, anonymous = 1u << 10, not_conv_ram = 1u << 11;
inline constexpr u32 owned = 1u << 12, broken = 1u << 13, online_broken = broken;
inline constexpr unsigned owner_shift = 16;
}  // namespace page_offline

inline constexpr u32 invalid_core_id = ~0u, invalid_socket_id = ~0u, invalid_node_id = ~0u;
struct SysctlCputopo {
    u32 core;
    u32 socket;
    u32 node;
};
/// num_cpus: IN room, OUT highest CPU + 1. A null array asks for that.
struct SysctlCputopoinfo {
    u32 num_cpus;
    GuestHandle<SysctlCputopo> cputopo;
};

inline constexpr u32 invalid_dev = invalid_node_id - 1;
struct SysctlPcitopoinfo {
    u32 num_devs;
    GuestHandle<PhysdevPciDevice> devs;
    GuestHandle<u32> nodes;
};

inline constexpr u32 invalid_mem_sz = ~0u, invalid_node_dist = ~0u;
struct SysctlMeminfo {
    u64 memsize;
    u64 memfree;
};
struct SysctlNumainfo {
    u32 num_nodes;
    GuestHandle<SysctlMeminfo> meminfo;
    GuestHandle<u32> distance;  ///< matrix
};

enum class CpupoolOp : u32 {
    create = 1,
    destroy = 2,
    info = 3,
    addcpu = 4,
    rmcpu = 5,
    movedomain = 6,
    freeinfo = 7,  ///< CPUs of no pool
};
inline constexpr u32 cpupool_par_any = 0xffffffff;
struct SysctlCpupoolOp {
    u32 op;          ///< CpupoolOp
    u32 cpupool_id;  ///< info: OUT the first from here up
    u32 sched_id;
    u32 domid;
    u32 cpu;
    u32 n_dom;
    Bitmap cpumap;
};

inline constexpr unsigned arinc653_max_domains_per_schedule = 64;
struct SysctlArinc653Schedule {
    u64 major_frame;  ///< ns
    u8 num_sched_entries;
    struct {
        DomainHandle dom_handle;
        u32 vcpu_id;
        u64 runtime;
    } sched_entries[arinc653_max_domains_per_schedule];
};
inline constexpr u32 sched_ratelimit_max = 500000, sched_ratelimit_min = 100;  ///< us
inline constexpr u32 csched_tslice_max = 1000, csched_tslice_min = 1;          ///< ms
inline constexpr u32 csched_mgr_dly_max_us = 100 * 1000;
struct SysctlCreditSchedule {
    u32 tslice_ms;
    u32 ratelimit_us;
    u32 vcpu_migr_delay_us;
};
struct SysctlCredit2Schedule {
    u32 ratelimit_us;
};
enum class SysctlSchedOpCmd : u32 { putinfo = 0, getinfo = 1 };
struct SysctlSchedulerOp {
    u32 cpupool_id;
    u32 sched_id;  ///< SchedulerId
    u32 cmd;       ///< SysctlSchedOpCmd
    union {
        struct {
            GuestHandle<SysctlArinc653Schedule> schedule;
        } sched_arinc653;
        SysctlCreditSchedule sched_credit;
        SysctlCredit2Schedule sched_credit2;
    } u;
};

/// Which CPUID words a PV guest's view can be masked in.
namespace levelcap {
inline constexpr u32 faulting = 1u << 0;
inline constexpr u32 ecx = 1u << 1;
inline constexpr u32 edx = 1u << 2;
inline constexpr u32 extd_ecx = 1u << 3;
inline constexpr u32 extd_edx = 1u << 4;
inline constexpr u32 xsave_eax = 1u << 5;
inline constexpr u32 thermal_ecx = 1u << 6;
inline constexpr u32 l7s0_eax = 1u << 7;
inline constexpr u32 l7s0_ebx = 1u << 8;
}  // namespace levelcap
struct SysctlCpuLevellingCaps {
    u32 caps;
};

enum class CpuFeaturesetIndex : u32 { raw = 0, host = 1, pv = 2, hvm = 3, pv_max = 4, hvm_max = 5 };
/// A null array asks for nr_features.
struct SysctlCpuFeatureset {
    u32 index;  ///< CpuFeaturesetIndex
    u32 nr_features;
    GuestHandle<u32> features;
};

enum class CpuPolicyIndex : u32 { raw = 0, host = 1, pv_max = 2, hvm_max = 3, pv_default = 4, hvm_default = 5 };
/// Null arrays ask for the counts. x86 only.
struct SysctlCpuPolicy {
    u32 index;  ///< CpuPolicyIndex
    u32 nr_leaves;
    u32 nr_msrs;
    u32 rsvd;
    GuestHandle<x86::CpuidLeaf> leaves;
    GuestHandle<x86::MsrEntry> msrs;
};

/// The argument of sysctl.
struct Sysctl {
    u32 cmd;                ///< SysctlCmd
    u32 interface_version;  ///< sysctl_interface_version
    union {
        SysctlReadconsole readconsole;
        SysctlTbufOp tbuf_op;
        SysctlPhysinfo physinfo;
        SysctlCputopoinfo cputopoinfo;
        SysctlPcitopoinfo pcitopoinfo;
        SysctlNumainfo numainfo;
        SysctlSchedId sched_id;
        SysctlPerfcOp perfc_op;
        SysctlGetdomaininfolist getdomaininfolist;
        SysctlDebugKeys debug_keys;
        SysctlGetcpuinfo getcpuinfo;
        SysctlAvailheap availheap;
        SysctlGetPmstat get_pmstat;
        SysctlCpuHotplug cpu_hotplug;
        SysctlPmOp pm_op;
        SysctlPageOfflineOp page_offline;
        SysctlCpupoolOp cpupool_op;
        SysctlSchedulerOp scheduler_op;
        SysctlCpuLevellingCaps cpu_levelling_caps;
        SysctlCpuFeatureset cpu_featureset;
        SysctlCpuPolicy cpu_policy;
        u8 pad[128];
    } u;
};

}  // namespace px::abi
