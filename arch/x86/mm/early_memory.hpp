// Memory before the frame allocator: the top of a free range below 4 GiB, taken downwards.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "boot/entry/boot_info.hpp"
#include "hypervisor/base/static_vector.hpp"
#include "hypervisor/base/types.hpp"

namespace px::arch {

class EarlyMemory {
public:
    /// Chooses the largest usable range below 4 GiB that touches none of `taken`.
    /// Errors: enomem.
    Result<> choose(const StaticVector<boot::MemoryRegion, boot::max_regions>& machine, const StaticVector<boot::MemoryRegion, 64>& taken);
    /// `frames` zeroed frames, `alignment` in bytes (a power of two); panics when none are left.
    Paddr take(u64 frames, u64 alignment = page_size);
    bool is_open() const { return open_; }
    /// No more early memory; [first, end) was used.
    boot::MemoryRegion close();

private:
    u64 bottom_ = 0, at_ = 0, top_ = 0;
    bool open_ = false;
};

EarlyMemory& early_memory();

/// Visits the parts of `region` that none of `taken` (sorted) covers.
template <class Visitor>
void for_each_gap(const boot::MemoryRegion& region, const StaticVector<boot::MemoryRegion, 64>& taken, Visitor visit) {
    u64 at = region.start;
    for (const boot::MemoryRegion& hole : taken) {
        if (hole.end <= at || hole.start >= region.end) continue;
        if (hole.start > at) visit(at, hole.start);
        at = hole.end;
    }
    if (at < region.end) visit(at, region.end);
}

/// Visits the parts of `places` (sorted, may overlap) inside of `region` that none of `kept` (sorted) covers, each once: memory
/// that was in use and is no more.
template <class Visitor>
void for_each_freed(const boot::MemoryRegion& region, const StaticVector<boot::MemoryRegion, 64>& places,
                    const StaticVector<boot::MemoryRegion, 64>& kept, Visitor visit) {
    u64 at = region.start;
    for (const boot::MemoryRegion& place : places) {
        const u64 start = std::max(place.start, at), end = std::min(place.end, region.end);
        if (start >= end) continue;
        for_each_gap({start, end, region.kind}, kept, visit);
        at = end;
    }
}

}  // namespace px::arch
