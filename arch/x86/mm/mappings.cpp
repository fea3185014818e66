// The hypervisor's own address space.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/mm/mappings.hpp"

#include <cstring>
#include <new>

#include "arch/per_cpu.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/mm/address_space.hpp"
#include "arch/x86/mm/early_memory.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px::arch {
namespace {

/// Stack blocks lie first in the mappings' slot, indexed by CPU; device mappings follow, never freed.
constexpr u64 stacks_base = mappings_base;
constexpr u64 devices_base = mappings_base + (u64{1} << 32);
/// Between them the CPUs' descriptor tables.
constexpr u64 descriptors_base = mappings_base + (u64{1} << 30);

struct AddressSpace {
    PageTable<NativePaging> table;
    u64 next_device = devices_base;
};
constinit Locked<AddressSpace, LockRank::heap> space;

}  // namespace

PageTable<NativePaging>& boot_page_table() { return space.unlocked().table; }

Result<Mfn> NativePaging::allocate_table() {
    if (early_memory().is_open()) return to_mfn(early_memory().take(1));
    return allocate_frames(0);
}
void NativePaging::free_table(Mfn table) { free_frames(table, 0); }

Mfn address_space_root() { return space.unlocked().table.root(); }

Result<void*> map_physical(Paddr address, usize bytes, Cache cache, bool writable) {
    const u64 offset = address.raw & (page_size - 1);
    const u64 pages = (offset + bytes + page_size - 1) >> page_shift;
    auto guard = space.lock();
    const u64 base = guard->next_device;
    guard->next_device += (pages + 1) << page_shift;  // an unmapped page between neighbours
    for (u64 i = 0; i < pages; ++i) {
        TRY(guard->table.map(page_number(base) + i, to_mfn(address) + i, 0, {.writable = writable, .cache = cache}));
    }
    return reinterpret_cast<void*>(base + offset);
}

Result<u64> map_stack_block(CpuId cpu) {
    constexpr unsigned emergency_pages[] = {1, 3, 5, 7};
    constexpr unsigned main_first = 9, main_end = stack_block_size / page_size;
    const u64 base = stacks_base + cpu.raw * stack_block_size;
    auto guard = space.lock();
    const auto map_one = [&](unsigned index) -> Result<> {
        const Mfn frame = early_memory().is_open() ? to_mfn(early_memory().take(1)) : TRY(allocate_frames(0));
        TRY(guard->table.map(page_number(base) + index, frame, 0, {.writable = true}));
        return {};
    };
    for (const unsigned index : emergency_pages) TRY(map_one(index));
    for (unsigned index = main_first; index < main_end; ++index) TRY(map_one(index));
    return base;
}

Result<DescriptorArea> map_descriptor_area(CpuId cpu) {
    const u64 base = descriptors_base + cpu.raw * DescriptorArea::pages * page_size;
    auto guard = space.lock();
    const Mfn own = TRY(allocate_frames(0));
    std::memset(to_virtual(own), 0, page_size);
    // What a processor finds in the pages before it, while no guest has put its own there: null descriptors.
    for (unsigned page = 0; page < DescriptorArea::pages; ++page) {
        TRY(guard->table.map(page_number(base) + page, page == DescriptorArea::own_page ? own : no_descriptors(), 0,
                             {.writable = page == DescriptorArea::own_page, .global = false}));
    }
    u64* entries = NativePaging::entries(guard->table.root());
    for (unsigned level = 3; level > 0; --level) {
        entries = NativePaging::entries(NativePaging::frame(entries[base >> (page_shift + 9 * level) & 511], level));
    }
    return DescriptorArea{base, &entries[base >> page_shift & 511], ::new (to_virtual(own)) Gdt};
}

Mfn no_descriptors() {
    static constinit Mfn page{0};
    if (page.raw == 0) {
        page = allocate_frames(0).value_or(Mfn{0});
        if (page.raw == 0) panic("no memory for a page");
        std::memset(to_virtual(page), 0, page_size);
    }
    return page;
}

void drop_identity_map() {
    NativePaging::entries(address_space_root())[0] = 0;
    write_cr<3>(read_cr<3>());
}

}  // namespace px::arch
