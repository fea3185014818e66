// Calls of a device model on its domain [xen/public hvm/dm_op.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/handle.hpp"

namespace px::abi {

enum class DmOpCmd : u32 {
    create_ioreq_server = 1,
    get_ioreq_server_info = 2,
    map_io_range_to_ioreq_server = 3,
    unmap_io_range_from_ioreq_server = 4,
    set_ioreq_server_state = 5,
    destroy_ioreq_server = 6,
    track_dirty_vram = 7,
    set_pci_intx_level = 8,
    set_isa_irq_level = 9,
    set_pci_link_route = 10,
    modified_memory = 11,
    set_mem_type = 12,
    inject_event = 13,
    inject_msi = 14,
    map_mem_type_to_ioreq_server = 15,
    remote_shutdown = 16,
    relocate_memory = 17,
    pin_memory_cacheattr = 18,
    set_irq_level = 19,
    nr_vcpus = 20,
};

/// DmOpCreateIoreqServer::handle_bufioreq: how the buffer's pointers are updated.
enum class BufioreqMode : u8 { off = 0, legacy = 1, atomic = 2 };
struct DmOpCreateIoreqServer {
    u8 handle_bufioreq;
    u8 pad[3];
    u16 id;  ///< OUT
};

inline constexpr u16 dmop_no_gfns = 1u << 0;  ///< the pages are acquired as a resource: fill no gfns
struct DmOpGetIoreqServerInfo {
    u16 id;
    u16 flags;
    u32 bufioreq_port;  ///< OUT, as the rest
    u64 ioreq_gfn;
    u64 bufioreq_gfn;
};

enum class IoRangeType : u32 { port = 0, memory = 1, pci = 2 };
struct DmOpIoreqServerRange {
    u16 id;
    u16 pad;
    u32 type;        ///< IoRangeType
    u64 start, end;  ///< inclusive; pci: dmop_pci_sbdf
};
constexpr u32 dmop_pci_sbdf(u32 segment, u32 bus, u32 device, u32 function) {
    return (segment & 0xffff) << 16 | (bus & 0xff) << 8 | (device & 0x1f) << 3 | (function & 7);
}

struct DmOpSetIoreqServerState {
    u16 id;
    u8 enabled;
    u8 pad;
};
struct DmOpDestroyIoreqServer {
    u16 id;
    u16 pad;
};

/// Second buffer: the bitmap.
struct DmOpTrackDirtyVram {
    u32 nr;
    u32 pad;
    u64 first_pfn;
};

struct DmOpSetPciIntxLevel {
    u16 domain;
    u8 bus, device, intx;
    u8 level;
};
struct DmOpSetIsaIrqLevel {
    u8 isa_irq;
    u8 level;
};
struct DmOpSetPciLinkRoute {
    u8 link;
    u8 isa_irq;
};

/// Second buffer: an array of DmOpModifiedMemoryExtent.
struct DmOpModifiedMemory {
    u32 nr_extents;
    u32 opaque;  ///< 0; the hypervisor's progress
};
struct DmOpModifiedMemoryExtent {
    u32 nr;
    u32 pad;
    u64 first_pfn;
};

struct DmOpSetMemType {
    u32 nr;
    u16 mem_type;  ///< HvmMemType
    u16 pad;
    u64 first_pfn;
};

/// Event types are those of VMX and SVM.
enum class DmEventType : u8 { ext_int = 0, nmi = 2, hw_exc = 3, sw_int = 4, pri_sw_exc = 5, sw_exc = 6 };
struct DmOpInjectEvent {
    u32 vcpuid;
    u8 vector;
    u8 type;  ///< DmEventType
    u8 insn_len;
    u8 pad0;
    u32 error_code;  ///< ~0: none
    u32 pad1;
    u64 cr2;
};

struct DmOpInjectMsi {
    u32 data;
    u32 pad;
    u64 addr;
};

inline constexpr u32 ioreq_mem_access_read = 1u << 0, ioreq_mem_access_write = 1u << 1;
struct DmOpMapMemTypeToIoreqServer {
    u16 id;
    u16 type;
    u32 flags;   ///< ioreq_mem_access_*; 0: unmap
    u64 opaque;  ///< 0; the hypervisor's progress
};

struct DmOpRemoteShutdown {
    u32 reason;
};

struct DmOpRelocateMemory {
    u32 size;  ///< pages; the progress, as the gfns
    u32 pad;
    u64 src_gfn;
    u64 dst_gfn;
};

enum class MemCacheattr : u32 { uc = 0, wc = 1, wt = 4, wp = 5, wb = 6, ucm = 7, delete_range = ~0u };
struct DmOpPinMemoryCacheattr {
    u64 start;
    u64 end;   ///< inclusive
    u32 type;  ///< MemCacheattr
    u32 pad;
};

struct DmOpSetIrqLevel {
    u32 irq;
    u8 level;
    u8 pad[3];
};

struct DmOpNrVcpus {
    u32 vcpus;
};  ///< OUT

/// The first buffer of a dm_op.
struct DmOp {
    u32 op;  ///< DmOpCmd
    u32 pad;
    union {
        DmOpCreateIoreqServer create_ioreq_server;
        DmOpGetIoreqServerInfo get_ioreq_server_info;
        DmOpIoreqServerRange map_io_range_to_ioreq_server;
        DmOpIoreqServerRange unmap_io_range_from_ioreq_server;
        DmOpSetIoreqServerState set_ioreq_server_state;
        DmOpDestroyIoreqServer destroy_ioreq_server;
        DmOpTrackDirtyVram track_dirty_vram;
        DmOpSetPciIntxLevel set_pci_intx_level;
        DmOpSetIsaIrqLevel set_isa_irq_level;
        DmOpSetIrqLevel set_irq_level;
        DmOpSetPciLinkRoute set_pci_link_route;
        DmOpModifiedMemory modified_memory;
        DmOpSetMemType set_mem_type;
        DmOpInjectEvent inject_event;
        DmOpInjectMsi inject_msi;
        DmOpMapMemTypeToIoreqServer map_mem_type_to_ioreq_server;
        DmOpRemoteShutdown remote_shutdown;
        DmOpRelocateMemory relocate_memory;
        DmOpPinMemoryCacheattr pin_memory_cacheattr;
        DmOpNrVcpus nr_vcpus;
    } u;
};

struct DmOpBuf {
    GuestHandle<void> h;
    u64 size;
};

}  // namespace px::abi
