// From the boot loader's memory map to frame table, direct map, allocator and the hardware domain's share.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "arch/x86/cpu/hidden_features.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/machine/screen.hpp"
#include "arch/x86/mm/address_space.hpp"
#include "arch/x86/mm/early_memory.hpp"
#include "arch/x86/mm/machine_to_physical.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px::arch {
namespace {

using boot::MemoryKind;
using boot::MemoryRegion;

constexpr u64 conventional_end = 0xa0000;
constinit MemoryLayout layout;
static_assert(sizeof(Frame) == FrameTableExtent::record_size && offsetof(Frame, is_ram) == FrameTableExtent::is_ram_offset);
static_assert(page_size == 4096);

extern "C" const char image_start[], text_end[], rodata_end[], image_end[];

void sort(StaticVector<MemoryRegion, 64>& regions) {
    std::sort(regions.begin(), regions.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
}

void note_ours(u64 start, u64 end) {
    if (!layout.ours.push_back({align_down<u64>(start, page_size), align_up<u64>(end, page_size), MemoryKind::reserved}).ok()) {
        panic("too many ranges of hypervisor memory");
    }
    sort(layout.ours);
}

template <class Visitor>
void for_each_usable(Visitor visit) {
    for (const MemoryRegion& region : layout.machine) {
        if (region.kind != MemoryKind::usable) continue;
        const u64 start = align_up<u64>(region.start, page_size), end = align_down<u64>(region.end, page_size);
        if (start < end && end <= direct_map_size) visit(start, end);
    }
}

void map_frame_table(PageTable<NativePaging>& table, u64 start, u64 end) {
    constexpr u64 chunk_pages = (u64{2} << 20) >> page_shift, chunk_frames = FrameTableExtent::chunk_frames;
    for (u64 chunk = (start >> page_shift) / chunk_frames; chunk <= ((end >> page_shift) - 1) / chunk_frames; ++chunk) {
        if (frame_table_extent.has_chunk(chunk)) continue;
        const Paddr memory = early_memory().take(chunk_pages, u64{2} << 20);
        if (!table.map(page_number(frame_table_base) + chunk * chunk_pages, to_mfn(memory), 9, {.writable = true})) {
            panic("no memory for the frame table");
        }
        frame_table_extent.chunks[chunk / 64] |= u64{1} << (chunk % 64);
    }
    frame_table_extent.end = std::max(frame_table_extent.end, end >> page_shift);
}

void must(Result<Changed> result) {
    if (!result) panic("no memory for the first page tables");
}

/// The image: text executable, constants read-only, data writable; each frame has the same rights in the direct map.
void map_image(PageTable<NativePaging>& table) {
    struct Part {
        const char *start, *end;
        bool writable, executable;
    };
    const Part parts[] = {{image_start, text_end, false, true}, {text_end, rodata_end, false, false}, {rodata_end, image_end, true, false}};
    for (const Part& part : parts) {
        const u64 pages = static_cast<u64>(part.end - part.start) >> page_shift;
        const Mfn frame = to_mfn(Paddr{machine_address(part.start)});
        must(table.map_range(page_number(reinterpret_cast<u64>(part.start)), frame, pages,
                             {.writable = part.writable, .executable = part.executable}));
        must(table.map_range(page_number(direct_map_base) + frame.raw, frame, pages, {.writable = part.writable}));
    }
}

void build_address_space(bool gigabyte_pages) {
    auto& table = boot_page_table();
    if (!table.create()) panic("no memory for the first page table");
    const unsigned limit = gigabyte_pages ? 18 : 9;
    for_each_usable([&](u64 start, u64 end) {
        must(table.map_range(page_number(direct_map_base) + (start >> page_shift), to_mfn(Paddr{start}), (end - start) >> page_shift,
                             {.writable = true}, limit));
    });
    map_image(table);
    if (const ScreenMemory screen = screen_memory(); screen.size != 0) {
        must(table.map_range(page_number(direct_map_base) + (screen.start >> page_shift), to_mfn(Paddr{screen.start}),
                             screen.size >> page_shift, {.writable = true, .cache = Cache::write_combining}, 9));
    }
    for_each_usable([&](u64 start, u64 end) { map_frame_table(table, start, end); });
    for_each_usable(map_machine_to_physical);
    // The trampoline of starting CPUs turns paging on while it runs at its physical address.
    must(table.map(0, Mfn{0}, 9, {.writable = true, .executable = true, .global = false}));
    write_cr<3>(to_paddr(table.root()).raw);
    write_cr<4>(read_cr<4>() | cr4::pge);
}

/// Where the hardware domain's share ends: the lowest address below which enough usable frames lie.
void choose_dom0_range(Dom0Choice choose) {
    layout.dom0_frames = choose(layout.ram_frames);
    u64 missing = layout.dom0_frames;
    for_each_usable([&](u64 start, u64 end) {
        for_each_gap({start, end, MemoryKind::usable}, layout.ours, [&](u64 from, u64 to) {
            const u64 take = std::min(missing, (to - from) >> page_shift);
            if (take == 0) return;
            missing -= take;
            layout.dom0_limit = from + (take << page_shift);
        });
    });
    layout.dom0_frames -= missing;
}

void give_to_allocator(const StaticVector<MemoryRegion, 64>& kept) {
    for_each_usable([&](u64 start, u64 end) {
        start = std::max(start, layout.dom0_limit);
        if (start >= end) return;
        for_each_gap({start, end, MemoryKind::usable}, kept,
                     [](u64 from, u64 to) { add_free_range(to_mfn(Paddr{from}), (to - from) >> page_shift); });
    });
}

/// Where the loader had put them, beyond the hardware domain's range: free once they have moved.
void give_places_of_modules(const StaticVector<MemoryRegion, 64>& modules) {
    for_each_usable([&](u64 start, u64 end) {
        start = std::max(start, layout.dom0_limit);
        if (start >= end) return;
        for_each_freed({start, end, MemoryKind::usable}, modules, layout.ours,
                       [](u64 from, u64 to) { add_free_range(to_mfn(Paddr{from}), (to - from) >> page_shift); });
    });
}

/// Modules go where the hardware domain's kernel can't overwrite them. Copied once, freed with their boot memory.
void move_modules(boot::BootInfo& info) {
    for (boot::BootModule& module : info.modules) {
        if (module.size == 0) continue;
        const u64 frames = align_up<u64>(module.size, page_size) >> page_shift;
        unsigned order = 0;
        while ((u64{1} << order) < frames) ++order;
        const auto memory = allocate_frames(order);
        if (!memory) { panic("no room to move a module of {} KiB out of dom0's memory: dom0_mem leaves too little", module.size >> 10); }
        std::memmove(to_virtual(*memory), to_virtual(Paddr{module.start}), module.size);
        module.start = to_paddr(*memory).raw;
    }
}

}  // namespace

constinit u64 image_displacement = 0;
constinit FrameTableExtent frame_table_extent;

MemoryLayout& memory_layout() { return layout; }

void set_up_memory(boot::BootInfo& info, Dom0Choice choose) {
    boot::normalise(info.memory);
    layout.machine = info.memory;
    note_ours(machine_address(image_start), machine_address(image_end));
    note_ours(0, page_size);  // frame 0 ends lists
    for_each_usable([&](u64 start, u64 end) {
        layout.ram_frames += (end - start) >> page_shift;
        // The last page of conventional memory: what a kernel of ours or dom0's would least expect to be its own.
        if (start < conventional_end && layout.trampoline == 0) layout.trampoline = std::min(end, conventional_end) - page_size;
    });
    if (layout.trampoline != 0) note_ours(layout.trampoline, layout.trampoline + page_size);

    auto taken = layout.ours;
    StaticVector<MemoryRegion, 64> modules;
    for (const boot::BootModule& module : info.modules) {
        if (module.size == 0) continue;
        const MemoryRegion place{align_down<u64>(module.start, page_size), align_up<u64>(module.start + module.size, page_size),
                                 MemoryKind::reserved};
        (void)modules.push_back(place).ok();
        (void)taken.push_back(place).ok();
    }
    sort(modules);
    sort(taken);
    if (!early_memory().choose(layout.machine, taken)) panic("no free memory below 4 GiB");
    build_address_space((host_cpuid(0x80000001).edx >> 26 & 1) != 0);
    const MemoryRegion early = early_memory().close();
    note_ours(early.start, early.end);
    (void)taken.push_back(early).ok();
    sort(taken);

    for_each_usable([](u64 start, u64 end) {
        for (u64 at = start; at < end; at += page_size) frame_of(to_mfn(Paddr{at})).is_ram = 1;
    });
    choose_dom0_range(choose);
    give_to_allocator(taken);
    move_modules(info);
    give_places_of_modules(modules);
}

}  // namespace px::arch
