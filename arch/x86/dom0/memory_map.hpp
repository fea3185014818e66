// What the hardware domain sees of the machine's memory: its map (E820), and what its physmap maps 1:1.
//
//   in the machine's map        in dom0's map        in its physmap
//   usable, below the limit     usable               RAM, 1:1
//   … of the hypervisor         reserved             nothing
//   usable, above the limit     unusable             nothing: guests live there
//   half a page of usable       reserved             device memory, 1:1
//   anything else, also holes   as it was            device memory, 1:1, but for what is trapped
//
// Frame 0 is reserved but mapped: the hypervisor doesn't use it (its number ends lists), and the BIOS data area lies there.
// A page that the map calls a hole would be taken for BARs and foreign mappings: so RAM that isn't dom0's is never one.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <span>

#include "boot/entry/boot_info.hpp"

namespace px::dom0 {

using boot::MemoryKind;
using boot::MemoryRegion;

/// Each range of the hypervisor's can cut one region in two, and each region's ends may be split pages.
using MemoryMap = StaticVector<MemoryRegion, 2 * boot::max_regions>;

struct Machine {
    std::span<const MemoryRegion> map;   ///< normalised: sorted, without overlaps
    std::span<const MemoryRegion> ours;  ///< sorted, page aligned: what the hypervisor keeps
    u64 limit;                           ///< usable memory below it is dom0's
};

/// Sorted; neighbours of one kind are joined; usable regions are whole pages. Errors: enospc.
Result<> build_memory_map(const Machine& machine, MemoryMap& out);

/// Ranges of the address space that dom0's physmap doesn't map as device memory although no RAM is there.
using TrappedRanges = StaticVector<MemoryRegion, 128>;

/// Calls visit(start, end) for each range below `top` that is device memory or a hole, less `trapped`: page aligned, in order.
/// Errors: enospc.
template <class Visitor>
Result<> for_each_device_range(std::span<const MemoryRegion> machine, std::span<const MemoryRegion> trapped, u64 top, Visitor visit) {
    StaticVector<MemoryRegion, boot::max_regions + TrappedRanges::capacity()> blocked;
    for (const MemoryRegion& region : machine) {
        // A frame that is usable only in part isn't RAM to the hypervisor: its other part is the firmware's.
        const u64 start = std::max<u64>(align_up<u64>(region.start, page_size), page_size);
        const u64 end = align_down<u64>(region.end, page_size);
        if (region.kind == MemoryKind::usable && start < end) TRY(blocked.push_back({start, end, region.kind}));
    }
    for (const MemoryRegion& region : trapped) {
        TRY(blocked.push_back({align_down<u64>(region.start, page_size), align_up<u64>(region.end, page_size), region.kind}));
    }
    std::sort(blocked.begin(), blocked.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
    u64 at = 0;
    for (const MemoryRegion& region : blocked) {
        if (region.start > at) visit(at, std::min(region.start, top));
        at = std::max(at, region.end);
        if (at >= top) return {};
    }
    visit(at, top);
    return {};
}

/// Where device memory ends for dom0: behind all RAM, and at least where 64-bit BARs are put, as far as the processor
/// reaches. `address_bits` from CPUID.
u64 device_memory_top(std::span<const MemoryRegion> machine, unsigned address_bits);

/// Turns the last `bytes` (whole pages) of the highest usable region below 4 GiB that has room into `kind` and returns where
/// they are. Errors: enomem, enospc.
Result<u64> take_from_top(MemoryMap& map, u64 bytes, MemoryKind kind);

/// The largest usable region below 4 GiB; empty where there is none.
MemoryRegion largest_low_region(const MemoryMap& map);

}  // namespace px::dom0
