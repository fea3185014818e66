// Memory of domains: reservation, guest physical map, resources [xen/public memory.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/handle.hpp"
#include "hypervisor/abi/physdev.hpp"

namespace px::abi {

/// The low six bits of memory_op's first argument; the rest is the start of a continuation.
enum class MemoryOp : u32 {
    increase_reservation = 0,
    decrease_reservation = 1,
    maximum_ram_page = 2,
    current_reservation = 3,
    maximum_reservation = 4,
    machphys_mfn_list = 5,
    populate_physmap = 6,
    add_to_physmap = 7,
    memory_map = 9,
    machine_memory_map = 10,
    exchange = 11,
    machphys_mapping = 12,
    set_memory_map = 13,
    maximum_gpfn = 14,
    remove_from_physmap = 15,
    set_pod_target = 16,
    get_pod_target = 17,
    get_sharing_freed_pages = 18,
    get_sharing_shared_pages = 19,
    paging_op = 20,
    access_op = 21,
    sharing_op = 22,
    add_to_physmap_batch = 23,
    claim_pages = 24,
    machphys_compat_mfn_list = 25,
    get_vnumainfo = 26,
    reserved_device_memory_map = 27,
    acquire_resource = 28,
};

/// MemoryReservation::mem_flags. Bits 0–7: address bits of the frames' addresses (0: any); 8–15: NUMA node + 1.
namespace memf {
constexpr u32 address_bits(u32 bits) { return bits; }
constexpr u32 get_address_bits(u32 flags) { return flags & 0xff; }
constexpr u32 node(u32 n) { return (n + 1) << 8; }
constexpr u32 get_node(u32 flags) { return ((flags >> 8) - 1) & 0xff; }
inline constexpr u32 populate_on_demand = 1u << 16;
inline constexpr u32 exact_node_request = 1u << 17;
inline constexpr u32 vnode = 1u << 18;  ///< the node is a virtual one of the domain
constexpr u32 exact_node(u32 n) { return node(n) | exact_node_request; }
}  // namespace memf

/// increase: OUT mfns. decrease: IN gfns. populate_physmap: IN gfns, OUT mfns for PV callers.
/// The result of the call is the number of extents done.
struct MemoryReservation {
    GuestHandle<u64> extent_start;
    u64 nr_extents;
    u32 extent_order;
    u32 mem_flags;  ///< memf
    u16 domid;
};

struct MemoryExchange {
    MemoryReservation in;
    MemoryReservation out;
    u64 nr_exchanged;  ///< OUT; 0 at first
};

/// current_reservation, maximum_reservation, maximum_gpfn.
struct MemoryDomain {
    u16 domid;
};

/// The frames of the machine-to-physical table, one per 2 MiB of it.
struct MachphysMfnList {
    u32 max_extents;
    GuestHandle<u64> extent_start;
    u32 nr_extents;  ///< OUT
};

struct MachphysMapping {
    u64 v_start, v_end;
    u64 max_mfn;
};

enum class MapSpace : u32 {
    shared_info = 0,
    grant_table = 1,
    gmfn = 2,          ///< another frame of the same domain, moved
    gmfn_range = 3,    ///< `size` of them; not with batch
    gmfn_foreign = 4,  ///< batch only
    dev_mmio = 5,      ///< Arm only
};

/// Set in the index of MapSpace::grant_table: a status frame.
inline constexpr u32 mapidx_grant_table_status = 0x80000000;

struct AddToPhysmap {
    u16 domid;
    u16 size;   ///< frames, gmfn_range only
    u32 space;  ///< MapSpace
    u64 idx;
    u64 gpfn;
};

struct AddToPhysmapBatch {
    u16 domid;
    u16 space;  ///< MapSpace
    u16 size;
    union Extra {
        u16 foreign_domid;  ///< gmfn_foreign
        u16 res0;           ///< else 0
    } u;
    GuestHandle<u64> idxs;
    GuestHandle<u64> gpfns;
    GuestHandle<i32> errs;  ///< OUT: an errno each
};

struct RemoveFromPhysmap {
    u16 domid;
    u64 gpfn;
};

/// memory_map, machine_memory_map: E820 entries.
struct MemoryMap {
    u32 nr_entries;  ///< IN: room, OUT: used
    GuestHandle<void> buffer;
};

struct ForeignMemoryMap {
    u16 domid;
    MemoryMap map;
};

struct PodTarget {
    u64 target_pages;
    u64 tot_pages;
    u64 pod_cache_pages;
    u64 pod_entries;
    u16 domid;
};

enum class PagingOp : u8 { nominate = 0, evict = 1, prep = 2 };
struct MemPagingOp {
    u8 op;  ///< PagingOp
    u16 domain;
    GuestHandle<const u8> buffer;
    u64 gfn;
};

enum class AccessOp : u8 { set_access = 0, get_access = 1, set_access_multi = 4 };
enum class MemAccess : u8 { n, r, w, rw, x, rx, wx, rwx, rx2rw, n2rwx, default_access };
struct MemAccessOp {
    u8 op;      ///< AccessOp
    u8 access;  ///< MemAccess
    u16 domid;
    u32 nr;
    u64 pfn;  ///< ~0: the default of new pages
    GuestHandle<const u64> pfn_list;
    GuestHandle<const u8> access_list;
};

/// Firmware-reserved memory that devices use (get_reserved_device_memory_map).
inline constexpr u32 rdm_all = 1;  ///< flags: every device, not just dev.pci
struct ReservedDeviceMemory {
    u64 start_pfn;
    u64 nr_pages;
};
struct ReservedDeviceMemoryMap {
    u32 flags;
    u32 nr_entries;
    GuestHandle<ReservedDeviceMemory> buffer;
    union {
        PhysdevPciDevice pci;
    } dev;
};

enum class ResourceType : u16 { ioreq_server = 0, grant_table = 1, vmtrace_buf = 2 };
inline constexpr u32 resource_grant_table_id_shared = 0, resource_grant_table_id_status = 1;
inline constexpr u64 resource_ioreq_server_frame_bufioreq = 0;
constexpr u64 resource_ioreq_server_frame_ioreq(u64 n) { return 1 + n; }

/// frame_list: OUT mfns for a PV caller; IN gfns where they shall appear for an auto-translated one.
/// nr_frames 0 with a null frame_list asks for the size.
struct MemAcquireResource {
    u16 domid;
    u16 type;  ///< ResourceType
    u32 id;
    u32 nr_frames;
    u32 pad;
    u64 frame;  ///< index of the first
    GuestHandle<u64> frame_list;
};

struct Vmemrange {
    u64 start, end;  ///< guest physical
    u32 flags;
    u32 nid;
};

template <class T>
union PaddedHandle {
    GuestHandle<T> h;
    u64 pad;
};
struct VnumaTopologyInfo {
    u16 domid;
    u16 pad;
    u32 nr_vnodes;
    u32 nr_vcpus;
    u32 nr_vmemranges;
    PaddedHandle<u32> vdistance;
    PaddedHandle<u32> vcpu_to_vnode;
    PaddedHandle<Vmemrange> vmemrange;
};

}  // namespace px::abi
