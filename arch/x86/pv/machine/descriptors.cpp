// A PV vCPU's descriptor tables in the linear memory of the CPU that runs it.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/mm/mappings.hpp"
#include "arch/x86/pv/machine/address_space.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::pv {
namespace {

using arch::DescriptorArea;
using Paging = arch::NativePaging;

u64 entry_for(const Frame* frame) {
    // The processor writes a descriptor's accessed bit.
    if (frame != nullptr) return Paging::leaf(mfn_of(*frame), 0, {.writable = true, .global = false});
    return Paging::leaf(arch::no_descriptors(), 0, {.global = false});
}

void put(DescriptorArea& area, unsigned page, const Frame* frame) {
    const u64 entry = entry_for(frame);
    if (area.entries[page] == entry) return;
    __atomic_store_n(&area.entries[page], entry, __ATOMIC_RELAXED);
    arch::invalidate_page(reinterpret_cast<void*>(area.base + page * page_size));
}

void clear(DescriptorArea& area, unsigned page) {
    if (area.entries[page] == 0) return;
    __atomic_store_n(&area.entries[page], 0, __ATOMIC_RELAXED);
    arch::invalidate_page(reinterpret_cast<void*>(area.base + page * page_size));
}

}  // namespace

void load_descriptor_tables(const VcpuState& state) {
    DescriptorArea& area = this_cpu().arch.descriptors;
    const arch::IrqState interrupts = arch::irq_save();
    for (unsigned page = 0; page < gdt_pages; ++page) put(area, page, state.memory.gdt[page]);
    u32 entries;
    {
        auto ldt = state.memory.ldt.lock();
        entries = ldt->entries;
        // A page that isn't there faults, and is found then.
        for (unsigned page = 0; page < ldt_pages; ++page) {
            const unsigned index = DescriptorArea::gdt_pages + page;
            if (ldt->pages[page] != nullptr) put(area, index, ldt->pages[page]);
            else clear(area, index);
        }
    }
    u16 selector = 0;
    if (entries != 0) {
        area.own->set_ldt(area.ldt(), entries * 8 - 1);
        selector = arch::selector::ldt;
    }
    asm volatile("lldt %w0" ::"r"(selector) : "memory");
    arch::irq_restore(interrupts);
}

void load_ldt_page(const VcpuState& state, unsigned page) {
    const arch::IrqState interrupts = arch::irq_save();
    // Whoever takes the page away has done so before its interrupt, which waits until the entry stands.
    if (const Frame* const frame = state.memory.ldt.lock()->pages[page]) {
        put(this_cpu().arch.descriptors, DescriptorArea::gdt_pages + page, frame);
    }
    arch::irq_restore(interrupts);
}

void unload_ldt_pages() {
    for (unsigned page = 0; page < ldt_pages; ++page) clear(this_cpu().arch.descriptors, DescriptorArea::gdt_pages + page);
}

}  // namespace px::pv
