// Contract: how the hypervisor sees machine memory.
//
// frame_table()      base of the array of Frame records, indexed by frame number; valid after early boot
// is_ram(mfn)        any number; true only for RAM that has a Frame record
// to_virtual(paddr)  the direct map: any RAM address; also where W^X makes a frame read-only
// to_physical(ptr)   inverse of to_virtual; only for addresses inside the direct map
// Frame use types    the low bits of `FrameUse` are generic; an architecture may add its own (PV page tables)
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px {
struct Frame;
}

namespace px::arch {

/// The hypervisor owns PML4 slots 256…271 [xen/public arch-x86/xen-x86_64.h]; everything of ours lies there.
///   slot 256       the guest-readable machine-to-physical table
///   slot 258       mappings made at run time: MMIO, per-CPU stacks (with guard pages)
///   slot 261       the image
///   slot 262       the frame table
///   slots 264-271  the direct map of all RAM: NX; read-only over our own text and constants
inline constexpr u64 slot_size = u64{1} << 39;
constexpr u64 slot_address(unsigned slot) { return 0xffff'0000'0000'0000 | slot * slot_size; }
inline constexpr u64 m2p_base = slot_address(256);
inline constexpr u64 mappings_base = slot_address(258);
inline constexpr u64 image_base = slot_address(261);
inline constexpr u64 frame_table_base = slot_address(262);
inline constexpr u64 direct_map_base = slot_address(264);
inline constexpr u64 direct_map_size = 8 * slot_size;

inline void* to_virtual(Paddr address) { return reinterpret_cast<void*>(direct_map_base + address.raw); }
inline Paddr to_physical(const void* pointer) { return Paddr{reinterpret_cast<u64>(pointer) - direct_map_base}; }
inline Frame* frame_table() { return reinterpret_cast<Frame*>(frame_table_base); }

/// Where the frame table has memory: its pages of 2 MiB, each the records of a chunk of frames. Made at boot.
struct FrameTableExtent {
    static constexpr u64 record_size = 32, is_ram_offset = 31;  ///< of Frame, which isn't complete here
    static constexpr u64 chunk_frames = (u64{2} << 20) / record_size;

    u64 end = 0;  ///< frames that it may cover
    u64 chunks[direct_map_size / 4096 / chunk_frames / 64] = {};

    bool has_chunk(u64 chunk) const { return (chunks[chunk / 64] >> (chunk % 64) & 1) != 0; }
};
extern FrameTableExtent frame_table_extent;

inline bool is_ram(Mfn mfn) {
    using Extent = FrameTableExtent;
    if (mfn.raw >= frame_table_extent.end || !frame_table_extent.has_chunk(mfn.raw / Extent::chunk_frames)) return false;
    return reinterpret_cast<const u8*>(frame_table_base)[mfn.raw * Extent::record_size + Extent::is_ram_offset] != 0;
}

}  // namespace px::arch
