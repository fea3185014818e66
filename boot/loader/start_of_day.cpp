// Placing and writing PVH's start info.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/start_of_day.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace px::loader {
namespace {

using MemoryMap = std::span<const abi::HvmMemmapTableEntry>;

constexpr u64 limit = u64{1} << 32;

bool is_ram(const abi::HvmMemmapTableEntry& entry) { return entry.type == static_cast<u32>(abi::HvmMemmapType::ram); }
Extent extent_of(const abi::HvmMemmapTableEntry& entry) { return {entry.addr, entry.addr + entry.size}; }

Loaded<> check_memory_map(MemoryMap map) {
    for (usize i = 0; i < map.size(); ++i) {
        const auto range = extent_of(map[i]);
        if (range.start >= range.end) return Err{LoadError::memory_map_invalid};
        for (const auto& other : map.first(i))
            if (range.overlaps(extent_of(other))) return Err{LoadError::memory_map_invalid};
    }
    if (!std::ranges::any_of(map, is_ram)) return Err{LoadError::memory_map_empty};
    return {};
}

/// Where the RAM that begins at or goes through `address` ends; `address` itself if there is none.
u64 end_of_ram_from(MemoryMap map, u64 address) {
    const auto continues = [&address](const auto& entry) { return is_ram(entry) && extent_of(entry).contains(address); };
    for (auto entry = std::ranges::find_if(map, continues); entry != map.end(); entry = std::ranges::find_if(map, continues))
        address = extent_of(*entry).end;
    return address;
}

/// The lowest page-aligned place for `size` bytes at or above `from`: it begins there, or where a RAM range
/// begins.
std::optional<Extent> find_room(MemoryMap map, u64 size, u64 from) {
    std::optional<Extent> best;
    const auto consider = [&](u64 start) {
        if (start > limit) return;
        start = align_up<u64>(start, page_size);
        if (size > limit - std::min(start, limit) || end_of_ram_from(map, start) - start < std::max<u64>(size, 1)) return;
        if (!best || start < best->start) best = Extent{start, start + size};
    };
    consider(from);
    for (const auto& entry : map)
        if (is_ram(entry) && entry.addr > from) consider(entry.addr);
    return best;
}

/// Offsets within the block of tables.
struct Layout {
    usize modules, memory_map, strings, end;

    explicit Layout(const StartOfDayRequest& request)
        : modules(sizeof(abi::HvmStartInfo)),
          memory_map(modules + request.modules.size() * sizeof(abi::HvmModlistEntry)),
          strings(memory_map + request.memory_map.size_bytes()),
          end(strings + size_of(request.command_line)) {
        for (const auto& module : request.modules) end += size_of(module.command_line);
    }

private:
    static usize size_of(std::string_view text) { return text.empty() ? 0 : text.size() + 1; }
};

/// Writes the strings one after the other and tells where each is.
class StringWriter {
public:
    StringWriter(std::span<u8> block, usize offset, u64 base) : block_(block), offset_(offset), base_(base) {}
    /// The guest physical address of the text, or 0 for an empty one.
    u64 put(std::string_view text) {
        if (text.empty()) return 0;
        const u64 address = base_ + offset_;
        std::memcpy(&block_[offset_], text.data(), text.size());
        block_[offset_ + text.size()] = 0;
        offset_ += text.size() + 1;
        return address;
    }

private:
    std::span<u8> block_;
    usize offset_;
    u64 base_;
};

}  // namespace

Loaded<StartOfDay> plan_start_of_day(const StartOfDayRequest& request) {
    const auto map = request.memory_map;
    if (request.modules.size() > StartOfDay::max_modules) return Err{LoadError::too_many_modules};
    TRY(check_memory_map(map));
    if (end_of_ram_from(map, request.kernel.start) < request.kernel.end) return Err{LoadError::kernel_outside_ram};

    const auto tables = find_room(map, Layout{request}.end, request.kernel.end);
    if (!tables) return Err{LoadError::tables_do_not_fit};
    StartOfDay plan{.tables = *tables};
    u64 next = tables->end;
    for (usize i = 0; i < request.modules.size(); ++i) {
        const auto room = find_room(map, request.modules[i].size, next);
        if (!room) return Err{LoadError::ramdisk_does_not_fit};
        plan.modules[i] = *room;
        next = room->end;
    }
    return plan;
}

Loaded<usize> serialise(const StartOfDayRequest& request, const StartOfDay& plan, std::span<u8> output) {
    const Layout layout{request};
    if (output.size() < layout.end) return Err{LoadError::buffer_too_small};
    const auto block = output.first(layout.end);
    StringWriter strings{block, layout.strings, plan.tables.start};

    const auto modules = request.modules;
    const abi::HvmStartInfo info{
        .magic = abi::hvm_start_magic,
        .version = abi::hvm_start_version,
        .flags = request.flags,
        .nr_modules = static_cast<u32>(modules.size()),
        .modlist_paddr = modules.empty() ? 0 : plan.tables.start + layout.modules,
        .cmdline_paddr = strings.put(request.command_line),
        .rsdp_paddr = request.rsdp,
        .memmap_paddr = plan.tables.start + layout.memory_map,
        .memmap_entries = static_cast<u32>(request.memory_map.size()),
        .reserved = 0,
    };
    std::memcpy(block.data(), &info, sizeof info);
    for (usize i = 0; i < modules.size(); ++i) {
        const abi::HvmModlistEntry entry{
            .paddr = plan.modules[i].start, .size = modules[i].size, .cmdline_paddr = strings.put(modules[i].command_line), .reserved = 0};
        std::memcpy(&block[layout.modules + i * sizeof entry], &entry, sizeof entry);
    }
    std::memcpy(&block[layout.memory_map], request.memory_map.data(), request.memory_map.size_bytes());
    return layout.end;
}

}  // namespace px::loader
