// What the hardware domain sees of the machine's memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/memory_map.hpp"

namespace px::dom0 {
namespace {

constexpr u64 four_gib = u64{4} << 30;

Result<> append(MemoryMap& map, u64 start, u64 end, MemoryKind kind) {
    if (start >= end) return {};
    if (!map.empty() && map.back().end == start && map.back().kind == kind) {
        map.back().end = end;
        return {};
    }
    return map.push_back({start, end, kind});
}

/// Whole pages of usable memory, from the lowest on: dom0's, the hypervisor's, the guests'.
Result<> append_usable(const Machine& machine, MemoryMap& map, u64 start, u64 end) {
    const u64 limit = std::clamp(machine.limit, start, end);
    u64 at = start;
    for (const MemoryRegion& kept : machine.ours) {
        if (kept.end <= at || kept.start >= limit) continue;
        TRY(append(map, at, kept.start, MemoryKind::usable));
        at = std::max(at, kept.start);
        TRY(append(map, at, std::min(kept.end, limit), MemoryKind::reserved));
        at = std::min(kept.end, limit);
    }
    TRY(append(map, at, limit, MemoryKind::usable));
    return append(map, limit, end, MemoryKind::unusable);
}

}  // namespace

Result<> build_memory_map(const Machine& machine, MemoryMap& out) {
    out.clear();
    for (const MemoryRegion& region : machine.map) {
        const u64 start = align_up<u64>(region.start, page_size), end = align_down<u64>(region.end, page_size);
        if (region.kind != MemoryKind::usable || start >= end) {
            TRY(append(out, region.start, region.end, region.kind == MemoryKind::usable ? MemoryKind::reserved : region.kind));
            continue;
        }
        TRY(append(out, region.start, start, MemoryKind::reserved));
        TRY(append_usable(machine, out, start, end));
        TRY(append(out, end, region.end, MemoryKind::reserved));
    }
    return {};
}

u64 device_memory_top(std::span<const MemoryRegion> machine, unsigned address_bits) {
    constexpr u64 window = u64{1} << 40;  // 1 TiB: where firmware puts 64-bit BARs of machines with little memory
    u64 top = window;
    for (const MemoryRegion& region : machine) {
        // Behind the last RAM there is room for as many BARs again.
        if (region.kind == MemoryKind::usable) top = std::max(top, align_up<u64>(region.end, u64{1} << 30) + window);
    }
    return std::min(top, u64{1} << std::clamp(address_bits, 36u, 48u));
}

Result<u64> take_from_top(MemoryMap& map, u64 bytes, MemoryKind kind) {
    for (usize i = map.size(); i-- > 0;) {
        MemoryRegion& region = map[i];
        if (region.kind != MemoryKind::usable || region.end > four_gib || region.end - region.start <= bytes) continue;
        if (region.start < u64{1} << 20) break;  // low memory is left to the kernel's real-mode code
        const u64 start = region.end - bytes;
        const MemoryRegion taken{start, region.end, kind};
        region.end = start;
        TRY(map.push_back(taken));
        std::rotate(map.begin() + i + 1, map.end() - 1, map.end());
        return start;
    }
    return Err{Errno::enomem};
}

MemoryRegion largest_low_region(const MemoryMap& map) {
    MemoryRegion best{0, 0, MemoryKind::usable};
    for (const MemoryRegion& region : map) {
        const u64 end = std::min(region.end, four_gib);
        if (region.kind == MemoryKind::usable && end > region.start && end - region.start > best.end - best.start) {
            best = {region.start, end, MemoryKind::usable};
        }
    }
    return best;
}

}  // namespace px::dom0
