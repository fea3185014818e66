// AArch64: how the hypervisor sees machine memory. Contract: see arch/x86/include/arch/memory.hpp.
//
// Without VHE, EL2 has one range of 48 bits, from 0 up [arm/ddi0487 D8.1.3]. It is cut into slots of 512 GiB, one entry of the
// first level each.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px {
struct Frame;
}

namespace px::arch {

///   slot 0         the image, and what maps itself while translation is turned on
///   slot 1         mappings made at run time: devices, per-CPU stacks (with guard pages)
///   slot 2         the frame table
///   slots 8-15     the direct map of all RAM: never executable; read-only over our own text and constants
inline constexpr u64 slot_size = u64{1} << 39;
inline constexpr u64 mappings_base = 1 * slot_size;
inline constexpr u64 frame_table_base = 2 * slot_size;
inline constexpr u64 direct_map_base = 8 * slot_size;
inline constexpr u64 direct_map_size = 8 * slot_size;

inline void* to_virtual(Paddr address) { return reinterpret_cast<void*>(direct_map_base + address.raw); }
inline Paddr to_physical(const void* pointer) { return Paddr{reinterpret_cast<u64>(pointer) - direct_map_base}; }
inline Frame* frame_table() { return reinterpret_cast<Frame*>(frame_table_base); }
bool is_ram(Mfn mfn);

}  // namespace px::arch
