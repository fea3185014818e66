// What every way in tells the hypervisor: the parts that all entries share.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/entry/boot_info.hpp"

#include <algorithm>

namespace px::boot {

std::string_view BootMemory::text(u64 address) const {
    constexpr usize longest = 4095;
    if (address == 0) return {};
    const auto bytes = view(address, longest + 1);
    const auto end = std::find(bytes.begin(), bytes.end(), 0);
    return {reinterpret_cast<const char*>(bytes.data()), std::min<usize>(static_cast<usize>(end - bytes.begin()), longest)};
}

Result<> BootInfo::add_memory(u64 base, u64 length, u32 kind) {
    REQUIRE(base + length >= base, einval);
    const bool known = kind >= static_cast<u32>(MemoryKind::usable) && kind <= static_cast<u32>(MemoryKind::unusable);
    return memory.push_back({base, base + length, known ? MemoryKind{kind} : MemoryKind::reserved});
}

namespace {

/// Where kinds overlap, the one of the higher rank is true.
unsigned rank(MemoryKind kind) {
    switch (kind) {
    case MemoryKind::usable: return 0;
    case MemoryKind::acpi: return 1;
    case MemoryKind::nvs: return 2;
    case MemoryKind::reserved: return 3;
    default: return 4;
    }
}

}  // namespace

void limit_memory(StaticVector<MemoryRegion, max_regions>& memory, u64 limit) {
    for (usize i = 0, count = memory.size(); i < count; ++i) {
        const MemoryRegion region = memory[i];
        if (region.kind != MemoryKind::usable || region.end <= limit) continue;
        if (region.start < limit && memory.push_back({region.start, limit, MemoryKind::usable}).ok()) memory[i].start = limit;
        memory[i].kind = MemoryKind::unusable;
    }
}

void normalise(StaticVector<MemoryRegion, max_regions>& memory) {
    // Every start and end is a possible border; between two borders the strictest region that covers them is true.
    StaticVector<u64, 2 * max_regions> borders;
    for (const MemoryRegion& region : memory) {
        if (region.start >= region.end) continue;
        (void)borders.push_back(region.start).ok();
        (void)borders.push_back(region.end).ok();
    }
    std::sort(borders.begin(), borders.end());

    StaticVector<MemoryRegion, max_regions> result;
    for (usize i = 0; i + 1 < borders.size(); ++i) {
        const u64 start = borders[i], end = borders[i + 1];
        if (start == end) continue;
        const MemoryRegion* strictest = nullptr;
        for (const MemoryRegion& region : memory) {
            const bool covers = region.start <= start && region.end >= end;
            if (covers && (strictest == nullptr || rank(region.kind) > rank(strictest->kind))) strictest = &region;
        }
        if (strictest == nullptr) continue;
        if (!result.empty() && result[result.size() - 1].end == start && result[result.size() - 1].kind == strictest->kind) {
            result[result.size() - 1].end = end;
        } else {
            (void)result.push_back({start, end, strictest->kind}).ok();
        }
    }
    memory = result;
}

std::string_view without_image_name(std::string_view loader, std::string_view line) {
    const bool grub2 = loader.starts_with("GRUB ") && loader.size() > 5 && loader[5] != '0';
    const auto skip_spaces = [&] {
        while (line.starts_with(' ')) line.remove_prefix(1);
    };
    skip_spaces();
    if (grub2 && line != "placeholder" && !line.starts_with("placeholder ")) return line;
    while (!line.empty() && !line.starts_with(' ')) line.remove_prefix(1);
    skip_spaces();
    return line;
}

}  // namespace px::boot
