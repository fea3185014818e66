// Domain control: the toolstack's calls on one domain [xen/public domctl.h].
//
// Bodies of debugging and introspection operations (gdbsx, vm_event, monitor, mem_sharing, psr, vmtrace) are not
// described yet; their numbers are.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/arch.hpp"
#include "hypervisor/abi/memory.hpp"
#include "hypervisor/abi/x86/domctl.hpp"
#include "hypervisor/abi/xen.hpp"

namespace px::abi {

inline constexpr u32 domctl_interface_version = 0x00000015;

enum class DomctlCmd : u32 {
    createdomain = 1,
    destroydomain = 2,
    pausedomain = 3,
    unpausedomain = 4,
    getdomaininfo = 5,
    setvcpuaffinity = 9,
    shadow_op = 10,
    max_mem = 11,
    setvcpucontext = 12,
    getvcpucontext = 13,
    getvcpuinfo = 14,
    max_vcpus = 15,
    scheduler_op = 16,
    setdomainhandle = 17,
    setdebugging = 18,
    irq_permission = 19,
    iomem_permission = 20,
    ioport_permission = 21,
    hypercall_init = 22,
    settimeoffset = 24,
    getvcpuaffinity = 25,
    real_mode_area = 26,
    resumedomain = 27,
    sendtrigger = 28,
    subscribe = 29,
    gethvmcontext = 33,
    sethvmcontext = 34,
    set_address_size = 35,
    get_address_size = 36,
    assign_device = 37,
    bind_pt_irq = 38,
    memory_mapping = 39,
    ioport_mapping = 40,
    set_ext_vcpucontext = 42,
    get_ext_vcpucontext = 43,
    set_opt_feature = 44,
    test_assign_device = 45,
    set_target = 46,
    deassign_device = 47,
    unbind_pt_irq = 48,
    get_device_group = 50,
    debug_op = 54,
    gethvmcontext_partial = 55,
    vm_event_op = 56,
    mem_sharing_op = 57,
    gettscinfo = 59,
    settscinfo = 60,
    getpageframeinfo3 = 61,
    setvcpuextstate = 62,
    getvcpuextstate = 63,
    set_access_required = 64,
    audit_p2m = 65,
    set_virq_handler = 66,
    set_broken_page_p2m = 67,
    setnodeaffinity = 68,
    getnodeaffinity = 69,
    cacheflush = 71,
    get_vcpu_msrs = 72,
    set_vcpu_msrs = 73,
    setvnumainfo = 74,
    psr_cmt_op = 75,
    monitor_op = 77,
    psr_alloc = 78,
    soft_reset = 79,
    vuart_op = 81,
    get_cpu_policy = 82,
    set_cpu_policy = 83,
    vmtrace_op = 84,
    get_paging_mempool_size = 85,
    set_paging_mempool_size = 86,
    gdbsx_guestmemio = 1000,
    gdbsx_pausevcpu = 1001,
    gdbsx_unpausevcpu = 1002,
    gdbsx_domstatus = 1003,
};

/// DomctlCreatedomain::flags.
namespace cdf {
inline constexpr u32 hvm = 1u << 0;
inline constexpr u32 hap = 1u << 1;  ///< nested paging
inline constexpr u32 s3_integrity = 1u << 2;
inline constexpr u32 oos_off = 1u << 3;
inline constexpr u32 xs_domain = 1u << 4;  ///< runs the xenstore
inline constexpr u32 iommu = 1u << 5;
inline constexpr u32 nested_virt = 1u << 6;
inline constexpr u32 vpmu = 1u << 7;
inline constexpr u32 max = vpmu;
}  // namespace cdf

inline constexpr u32 domctl_iommu_no_sharept = 1u << 0;
inline constexpr u32 domctl_iommu_max = domctl_iommu_no_sharept;
inline constexpr u32 domctl_grant_version_mask = 0xf;  ///< DomctlCreatedomain::grant_opts: highest version

/// Domctl::domain: the wanted number, 0 for any; OUT: the number.
struct DomctlCreatedomain {
    u32 ssidref;
    DomainHandle handle;
    u32 flags;  ///< cdf
    u32 iommu_opts;
    u32 max_vcpus;
    u32 max_evtchn_port;
    i32 max_grant_frames;     ///< negative: the default
    i32 max_maptrack_frames;  ///< negative: the default
    u32 grant_opts;
    u32 vmtrace_size;  ///< bytes per vCPU
    u32 cpupool_id;
    arch::DomainConfig arch;
};

/// DomctlGetdomaininfo::flags.
namespace dominf {
inline constexpr u32 dying = 1u << 0;
inline constexpr u32 hvm_guest = 1u << 1;
inline constexpr u32 shutdown = 1u << 2;
inline constexpr u32 paused = 1u << 3;   ///< by the toolstack
inline constexpr u32 blocked = 1u << 4;  ///< all vCPUs wait for events
inline constexpr u32 running = 1u << 5;  ///< some vCPU runs now
inline constexpr u32 debugged = 1u << 6;
inline constexpr u32 xs_domain = 1u << 7;
inline constexpr u32 hap = 1u << 8;
inline constexpr u32 shutdownmask = 255;  ///< of the ShutdownReason,
inline constexpr u32 shutdownshift = 16;  ///< after this shift
}  // namespace dominf

inline constexpr u32 invalid_max_vcpu_id = ~0u;  ///< the domain has no vCPUs

/// For the next domain from Domctl::domain upwards; `domain` says which.
struct DomctlGetdomaininfo {
    u16 domain;
    u16 pad1;
    u32 flags;  ///< dominf
    u64 tot_pages;
    u64 max_pages;
    u64 outstanding_pages;  ///< claimed, not yet allocated
    u64 shr_pages;
    u64 paged_pages;
    u64 shared_info_frame;  ///< gfn
    u64 cpu_time;           ///< ns
    u32 nr_online_vcpus;
    u32 max_vcpu_id;
    u32 ssidref;
    DomainHandle handle;
    u32 cpupool;
    u8 gpaddr_bits;  ///< width of guest physical addresses
    u8 pad2[7];
    arch::DomainConfig arch_config;
};

/// Types of PV page-table frames, in the top bits of getpageframeinfo3's numbers and of the migration stream.
namespace pfinfo {
inline constexpr unsigned ltab_shift = 28;
inline constexpr u32 notab = 0x0u << 28, l1tab = 0x1u << 28, l2tab = 0x2u << 28, l3tab = 0x3u << 28;
inline constexpr u32 l4tab = 0x4u << 28;
inline constexpr u32 ltabtype_mask = 0x7u << 28;
inline constexpr u32 lpintab = 0x1u << 31;
inline constexpr u32 xtab = 0xfu << 28;    ///< invalid
inline constexpr u32 xalloc = 0xeu << 28;  ///< allocate only
inline constexpr u32 broken = 0xdu << 28;
inline constexpr u32 ltab_mask = 0xfu << 28;
}  // namespace pfinfo

struct DomctlGetpageframeinfo3 {
    u64 num;
    GuestHandle<u64> array;  ///< IN: gfns, OUT: pfinfo
};

/// DomctlShadowOp::op.
enum class ShadowOp : u32 {
    off = 0,
    enable_test = 1,
    enable_logdirty = 2,
    clean = 11,  ///< read and clear the bitmap
    peek = 12,   ///< read it
    get_allocation = 30,
    set_allocation = 31,
    enable = 32,  ///< mode: shadow_mode
};
namespace shadow_mode {
inline constexpr u32 enable_refcount = 1u << 1;
inline constexpr u32 enable_log_dirty = 1u << 2;
inline constexpr u32 enable_translate = 1u << 3;
inline constexpr u32 enable_external = 1u << 4;
inline constexpr u32 logdirty_final = 1u << 0;  ///< clean, peek: no other bitmap will be wanted
}  // namespace shadow_mode

struct DomctlShadowOpStats {
    u32 fault_count;
    u32 dirty_count;
};
struct DomctlShadowOp {
    u32 op;
    u32 mode;
    u32 mb;  ///< allocation, MiB
    GuestHandle<u8> dirty_bitmap;
    u64 pages;  ///< of the bitmap; OUT: really covered
    DomctlShadowOpStats stats;
};

struct DomctlMaxMem {
    u64 max_memkb;
};

/// setvcpucontext, getvcpucontext. A null ctxt resets the vCPU.
struct DomctlVcpucontext {
    u32 vcpu;
    GuestHandle<arch::VcpuGuestContext> ctxt;
};

struct DomctlGetvcpuinfo {
    u32 vcpu;
    u8 online;  ///< OUT, as the rest
    u8 blocked;
    u8 running;
    u64 cpu_time;  ///< ns
    u32 cpu;       ///< now or last
};

struct DomctlNodeaffinity {
    Bitmap nodemap;
};

namespace vcpuaffinity {
inline constexpr u32 hard = 1u << 0;
inline constexpr u32 soft = 1u << 1;
inline constexpr u32 force = 1u << 2;  ///< undo a temporary pinning
}  // namespace vcpuaffinity
struct DomctlVcpuaffinity {
    u32 vcpu;
    u32 flags;           ///< vcpuaffinity
    Bitmap cpumap_hard;  ///< IN and OUT: set returns the effective map
    Bitmap cpumap_soft;
};

struct DomctlMaxVcpus {
    u32 max;
};

enum class SchedulerId : u32 { credit = 5, credit2 = 6, arinc653 = 7, rtds = 8, null = 9 };

struct DomctlSchedCredit {
    u16 weight;
    u16 cap;  ///< percent of one CPU, 0: none
};
struct DomctlSchedCredit2 {
    u16 weight;
    u16 cap;
};
inline constexpr u32 domctl_schedrt_extra = 1u << 0;
struct DomctlSchedRtds {
    u32 period;  ///< us
    u32 budget;  ///< us
    u32 flags;
};
struct DomctlSchedparamVcpu {
    union {
        DomctlSchedCredit credit;
        DomctlSchedCredit2 credit2;
        DomctlSchedRtds rtds;
    } u;
    u32 vcpuid;
};
enum class DomctlSchedOpCmd : u32 { putinfo = 0, getinfo = 1, putvcpuinfo = 2, getvcpuinfo = 3 };
struct DomctlSchedulerOp {
    u32 sched_id;  ///< SchedulerId
    u32 cmd;       ///< DomctlSchedOpCmd
    union {
        DomctlSchedCredit credit;
        DomctlSchedCredit2 credit2;
        DomctlSchedRtds rtds;
        struct {
            GuestHandle<DomctlSchedparamVcpu> vcpus;
            u32 nr_vcpus;  ///< OUT: done
            u32 padding;
        } v;
    } u;
};

struct DomctlSetdomainhandle {
    DomainHandle handle;
};
struct DomctlSetdebugging {
    u8 enable;
};

struct DomctlIrqPermission {
    u32 pirq;
    u8 allow_access;
    u8 pad[3];
};
struct DomctlIomemPermission {
    u64 first_mfn;
    u64 nr_mfns;
    u8 allow_access;
};
struct DomctlIoportPermission {
    u32 first_port;
    u32 nr_ports;
    u8 allow_access;
};

struct DomctlHypercallInit {
    u64 gmfn;
};
struct DomctlSettimeoffset {
    i64 time_offset_seconds;
};

/// A null buffer asks for the size.
struct DomctlHvmcontext {
    u32 size;  ///< bytes; OUT: written
    GuestHandle<u8> buffer;
};
struct DomctlHvmcontextPartial {
    u32 type;  ///< HvmSaveCode
    u32 instance;
    u64 bufsz;
    GuestHandle<u8> buffer;  ///< without the descriptor
};

/// Bits of the guest's virtual addresses.
struct DomctlAddressSize {
    u32 size;
};

enum class SendTrigger : u32 { nmi = 0, reset = 1, init = 2, power = 3, sleep = 4 };
struct DomctlSendtrigger {
    u32 trigger;  ///< SendTrigger
    u32 vcpu;
};

enum class AssignDeviceKind : u32 { pci = 0, dt = 1 };
inline constexpr u32 domctl_dev_rdm_relaxed = 1;
struct DomctlAssignDevice {
    u32 dev;  ///< AssignDeviceKind
    u32 flags;
    union {
        struct {
            u32 machine_sbdf;
        } pci;
        struct {
            u32 size;
            GuestHandle<char> path;
        } dt;
    } u;
};

struct DomctlGetDeviceGroup {
    u32 machine_sbdf;
    u32 max_sdevs;
    u32 num_sdevs;
    GuestHandle<u32> sdev_array;
};

enum class PtIrqType : u32 { pci, isa, msi, msi_translate, spi };
struct DomctlBindPtIrq {
    u32 machine_irq;
    u32 irq_type;  ///< PtIrqType
    union {
        struct {
            u8 isa_irq;
        } isa;
        struct {
            u8 bus;
            u8 device;
            u8 intx;
        } pci;
        struct {
            u8 gvec;
            u32 gflags;  ///< x86::vmsi
            u64 gtable;
        } msi;
        struct {
            u16 spi;
        } spi;
    } u;
};

inline constexpr u32 dpci_remove_mapping = 0, dpci_add_mapping = 1;
struct DomctlMemoryMapping {
    u64 first_gfn;
    u64 first_mfn;
    u64 nr_mfns;
    u32 add_mapping;
    u32 padding;
};
struct DomctlIoportMapping {
    u32 first_gport;
    u32 first_mport;
    u32 nr_ports;
    u32 add_mapping;
};

/// The domain may act on target as its device model.
struct DomctlSetTarget {
    u16 target;
};

struct DomctlSubscribe {
    u32 port;
};

inline constexpr u32 debug_op_single_step_off = 0, debug_op_single_step_on = 1;
struct DomctlDebugOp {
    u32 op;
    u32 vcpu;
};

/// tsc_mode: 0 default, 1 always emulate, 2 never, 3 (gone: PVRDTSCP).
struct DomctlTscInfo {
    u32 tsc_mode;
    u32 gtsc_khz;
    u32 incarnation;
    u32 pad;
    u64 elapsed_nsec;
};

struct DomctlSetAccessRequired {
    u8 access_required;
};

/// The domain gets this global Virq instead of dom0.
struct DomctlSetVirqHandler {
    u32 virq;
};

struct DomctlSetBrokenPageP2m {
    u64 pfn;
};

struct DomctlCacheflush {
    u64 start_pfn, nr_pfns;
};

/// Memory for the domain's page tables, in bytes.
struct DomctlPagingMempool {
    u64 size;
};

struct DomctlVnuma {
    u32 nr_vnodes;
    u32 nr_vmemranges;
    u32 nr_vcpus;
    u32 pad;
    GuestHandle<u32> vdistance;
    GuestHandle<u32> vcpu_to_vnode;
    GuestHandle<u32> vnode_to_pnode;
    GuestHandle<Vmemrange> vmemrange;
};

/// The argument of domctl.
struct Domctl {
    u32 cmd;                ///< DomctlCmd
    u32 interface_version;  ///< domctl_interface_version
    u16 domain;
    u16 pad[3];
    union {
        DomctlCreatedomain createdomain;
        DomctlGetdomaininfo getdomaininfo;
        DomctlGetpageframeinfo3 getpageframeinfo3;
        DomctlNodeaffinity nodeaffinity;
        DomctlVcpuaffinity vcpuaffinity;
        DomctlShadowOp shadow_op;
        DomctlMaxMem max_mem;
        DomctlVcpucontext vcpucontext;
        DomctlGetvcpuinfo getvcpuinfo;
        DomctlMaxVcpus max_vcpus;
        DomctlSchedulerOp scheduler_op;
        DomctlSetdomainhandle setdomainhandle;
        DomctlSetdebugging setdebugging;
        DomctlIrqPermission irq_permission;
        DomctlIomemPermission iomem_permission;
        DomctlIoportPermission ioport_permission;
        DomctlHypercallInit hypercall_init;
        DomctlSettimeoffset settimeoffset;
        DomctlTscInfo tsc_info;
        DomctlHvmcontext hvmcontext;
        DomctlHvmcontextPartial hvmcontext_partial;
        DomctlAddressSize address_size;
        DomctlSendtrigger sendtrigger;
        DomctlGetDeviceGroup get_device_group;
        DomctlAssignDevice assign_device;
        DomctlBindPtIrq bind_pt_irq;
        DomctlMemoryMapping memory_mapping;
        DomctlIoportMapping ioport_mapping;
        x86::DomctlExtVcpucontext ext_vcpucontext;
        DomctlSetTarget set_target;
        DomctlSubscribe subscribe;
        DomctlDebugOp debug_op;
        x86::DomctlCpuPolicy cpu_policy;
        x86::DomctlVcpuextstate vcpuextstate;
        x86::DomctlVcpuMsrs vcpu_msrs;
        DomctlSetAccessRequired access_required;
        DomctlSetVirqHandler set_virq_handler;
        DomctlSetBrokenPageP2m set_broken_page_p2m;
        DomctlCacheflush cacheflush;
        DomctlVnuma vnuma;
        DomctlPagingMempool paging_mempool;
        u8 pad[128];
    } u;
};

}  // namespace px::abi
