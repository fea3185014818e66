// Memory before the frame allocator.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/mm/early_memory.hpp"

#include <algorithm>
#include <cstring>

#include "arch/memory.hpp"
#include "hypervisor/console/log.hpp"

namespace px::arch {
namespace {
constexpr u64 low_end = u64{4} << 30;
constexpr u64 low_start = u64{1} << 20;
constinit EarlyMemory memory;
}  // namespace

EarlyMemory& early_memory() { return memory; }

Result<> EarlyMemory::choose(const StaticVector<boot::MemoryRegion, boot::max_regions>& machine,
                             const StaticVector<boot::MemoryRegion, 64>& taken) {
    u64 best = 0;
    for (const boot::MemoryRegion& region : machine) {
        if (region.kind != boot::MemoryKind::usable) continue;
        for_each_gap(region, taken, [&](u64 start, u64 end) {
            start = align_up<u64>(std::max(start, low_start), page_size);
            end = align_down<u64>(std::min(end, low_end), page_size);
            if (start >= end || end - start < best) return;
            best = end - start;
            bottom_ = start;
            at_ = top_ = end;
        });
    }
    REQUIRE(best != 0, enomem);
    open_ = true;
    return {};
}

Paddr EarlyMemory::take(u64 frames, u64 alignment) {
    PX_ASSERT(open_);
    const u64 bytes = frames << page_shift;
    if (at_ - bottom_ < bytes + alignment) panic("not enough memory below 4 GiB to start with");
    at_ = align_down<u64>(at_ - bytes, alignment);
    std::memset(to_virtual(Paddr{at_}), 0, bytes);
    return Paddr{at_};
}

boot::MemoryRegion EarlyMemory::close() {
    open_ = false;
    return {at_, top_, boot::MemoryKind::usable};
}

}  // namespace px::arch
