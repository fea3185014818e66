// Grant tables: pages lent to another domain [xen/public grant_table.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/handle.hpp"

namespace px::abi {

enum class GnttabOp : u32 {
    map_grant_ref = 0,
    unmap_grant_ref = 1,
    setup_table = 2,
    dump_table = 3,
    transfer = 4,
    copy = 5,
    query_size = 6,
    unmap_and_replace = 7,
    set_version = 8,
    get_status_frames = 9,
    get_version = 10,
    swap_grant_ref = 11,
    cache_flush = 12,
};

/// First entries of every table are the toolstack's.
inline constexpr u32 gnttab_nr_reserved_entries = 8;
inline constexpr u32 gnttab_reserved_console = 0;
inline constexpr u32 gnttab_reserved_xenstore = 1;

/// An entry of version 1. The granter fills domid and frame, then (after a barrier) flags.
struct GrantEntryV1 {
    u16 flags;  ///< gtf
    u16 domid;
    u32 frame;
};

/// Flags of a grant entry. The type is in the low two bits.
namespace gtf {
inline constexpr u16 invalid = 0;
inline constexpr u16 permit_access = 1;
inline constexpr u16 accept_transfer = 2;
inline constexpr u16 transitive = 3;
inline constexpr u16 type_mask = 3;
inline constexpr u16 readonly = 1u << 2;  ///< by the granter
inline constexpr u16 reading = 1u << 3;   ///< by the hypervisor (version 2: in the status array)
inline constexpr u16 writing = 1u << 4;   ///< by the hypervisor (version 2: in the status array)
inline constexpr u16 pwt = 1u << 5;
inline constexpr u16 pcd = 1u << 6;
inline constexpr u16 pat = 1u << 7;
inline constexpr u16 sub_page = 1u << 8;  ///< version 2: copies of part of the page only
inline constexpr u16 transfer_committed = 1u << 2;
inline constexpr u16 transfer_completed = 1u << 3;
}  // namespace gtf

struct GrantEntryHeader {
    u16 flags;
    u16 domid;
};

/// An entry of version 2; its status bits live in a u16 of the status frames.
union GrantEntryV2 {
    GrantEntryHeader hdr;
    struct {
        GrantEntryHeader hdr;
        u32 pad0;
        u64 frame;
    } full_page;
    struct {
        GrantEntryHeader hdr;
        u16 page_off;
        u16 length;
        u64 frame;
    } sub_page;
    struct {
        GrantEntryHeader hdr;
        u16 trans_domid;
        u16 pad0;
        u32 gref;
    } transitive;
    u32 spacer[4];
};
using GrantStatusWord = u16;

/// How to map: flags of GnttabMapGrantRef.
namespace gntmap {
inline constexpr u32 device_map = 1u << 0;  ///< for I/O: IOMMU
inline constexpr u32 host_map = 1u << 1;    ///< for the CPU
inline constexpr u32 readonly = 1u << 2;
inline constexpr u32 application_map = 1u << 3;  ///< PV: usable by user mode
inline constexpr u32 contains_pte = 1u << 4;     ///< PV: host_addr is the machine address of the entry
inline constexpr unsigned guest_avail0_bit = 16;
inline constexpr u32 guest_avail_mask = ~u32{0} << guest_avail0_bit;
}  // namespace gntmap

/// Result of one element; the hypercall itself succeeds.
enum class GntStatus : i16 {
    okay = 0,
    general_error = -1,
    bad_domain = -2,
    bad_gntref = -3,
    bad_handle = -4,
    bad_virt_addr = -5,
    bad_dev_addr = -6,
    no_device_space = -7,
    permission_denied = -8,
    bad_page = -9,
    bad_copy_arg = -10,
    address_too_big = -11,
    eagain = -12,
    no_space = -13,
};

/// OUT: status, handle, dev_bus_addr.
struct GnttabMapGrantRef {
    u64 host_addr;  ///< guest physical (auto-translated), linear or machine address (PV)
    u32 flags;      ///< gntmap
    u32 ref;
    u16 dom;
    i16 status;
    u32 handle;
    u64 dev_bus_addr;
};

/// A zero address is ignored.
struct GnttabUnmapGrantRef {
    u64 host_addr;
    u64 dev_bus_addr;
    u32 handle;
    i16 status;
};

/// Grows the table to nr_frames; OUT: the frames.
struct GnttabSetupTable {
    u16 dom;
    u32 nr_frames;
    i16 status;
    GuestHandle<u64> frame_list;
};

struct GnttabDumpTable {
    u16 dom;
    i16 status;
};

struct GnttabTransfer {
    u64 mfn;
    u16 domid;
    u32 ref;
    i16 status;
};

namespace gntcopy {
inline constexpr u16 source_gref = 1u << 0;
inline constexpr u16 dest_gref = 1u << 1;
}  // namespace gntcopy

struct GnttabCopyPtr {
    union {
        u32 ref;
        u64 gmfn;
    } u;
    u16 domid;
    u16 offset;
};

struct GnttabCopy {
    GnttabCopyPtr source, dest;
    u16 len;
    u16 flags;  ///< gntcopy
    i16 status;
};

struct GnttabQuerySize {
    u16 dom;
    u32 nr_frames;
    u32 max_nr_frames;
    i16 status;
};

struct GnttabUnmapAndReplace {
    u64 host_addr;
    u64 new_addr;  ///< its mapping moves to host_addr
    u32 handle;
    i16 status;
};

struct GnttabSetVersion {
    u32 version;
};

struct GnttabGetStatusFrames {
    u32 nr_frames;
    u16 dom;
    i16 status;
    GuestHandle<u64> frame_list;
};

struct GnttabGetVersion {
    u16 dom;
    u16 pad;
    u32 version;
};

struct GnttabSwapGrantRef {
    u32 ref_a;
    u32 ref_b;
    i16 status;
};

namespace gnttab_cache {
inline constexpr u32 clean = 1u << 0;
inline constexpr u32 inval = 1u << 1;
inline constexpr u32 source_gref = 1u << 31;
}  // namespace gnttab_cache

struct GnttabCacheFlush {
    union {
        u64 dev_bus_addr;
        u32 ref;
    } a;
    u16 offset;
    u16 length;
    u32 op;  ///< gnttab_cache
};

}  // namespace px::abi
