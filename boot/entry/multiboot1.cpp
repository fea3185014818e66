// The Multiboot 1 information structure. [multiboot 0.6.96, 3.3]
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/entry/boot_info.hpp"

namespace px::boot {
namespace {

namespace flag {
constexpr u32 memory = 1u << 0, command_line = 1u << 2, modules = 1u << 3, memory_map = 1u << 6, loader_name = 1u << 9;
}

struct Information {
    u32 flags, memory_lower, memory_upper, boot_device, command_line, modules_count, modules_address;
    u32 symbols[4];
    u32 memory_map_length, memory_map_address, drives_length, drives_address, config_table, loader_name;
};

struct Module {
    u32 start, end, text, reserved;
};

Result<> parse_memory_map(const BootMemory& memory, const Information& info, BootInfo& out) {
    if ((info.flags & flag::memory_map) == 0) {
        REQUIRE((info.flags & flag::memory) != 0, einval);
        TRY(out.memory.push_back({0, u64{info.memory_lower} << 10, MemoryKind::usable}));
        return out.memory.push_back({1u << 20, (1u << 20) + (u64{info.memory_upper} << 10), MemoryKind::usable});
    }
    // Each entry: its size less the size field, then base, length, type.
    constexpr u32 least = 20;
    for (u32 at = 0; at + 4 + least <= info.memory_map_length;) {
        const u64 entry = u64{info.memory_map_address} + at;
        const u32 size = TRY(memory.read<u32>(entry));
        const u64 base = TRY(memory.read<u64>(entry + 4)), length = TRY(memory.read<u64>(entry + 12));
        const u32 kind = TRY(memory.read<u32>(entry + 20));
        REQUIRE(size >= least && size < 4096, einval);
        TRY(out.add_memory(base, length, kind));
        at += size + 4;
    }
    return {};
}

}  // namespace

Result<> parse_multiboot1(const BootMemory& memory, u64 address, BootInfo& out) {
    const auto info = TRY(memory.read<Information>(address));
    if ((info.flags & flag::loader_name) != 0) out.loader = memory.text(info.loader_name);
    if ((info.flags & flag::command_line) != 0) { out.command_line = without_image_name(out.loader, memory.text(info.command_line)); }
    TRY(parse_memory_map(memory, info, out));
    if ((info.flags & flag::modules) == 0) return {};
    for (u32 i = 0; i < info.modules_count && !out.modules.full(); ++i) {
        const auto module = TRY(memory.read<Module>(u64{info.modules_address} + i * sizeof(Module)));
        REQUIRE(module.end >= module.start, einval);
        TRY(out.modules.push_back(
            {module.start, u64{module.end} - module.start, without_image_name(out.loader, memory.text(module.text))}));
    }
    return {};
}

}  // namespace px::boot
