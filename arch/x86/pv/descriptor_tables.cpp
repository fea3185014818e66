// GDT and LDT of a PV vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/descriptor_tables.hpp"

#include "arch/x86/pv/descriptor.hpp"
#include "arch/x86/pv/machine.hpp"
#include "arch/x86/pv/update.hpp"
#include "arch/x86/pv/use.hpp"

namespace px::pv {
namespace {

void give_pages(std::span<Frame*> pages) {
    for (Frame*& page : pages) {
        if (page == nullptr) continue;
        release_at_once(*page);
        put_frame(*std::exchange(page, nullptr));
    }
}

}  // namespace

Result<> set_gdt(VcpuMemory& caller, std::span<const u64> frames, u32 entries) {
    REQUIRE(entries <= abi::x86::first_reserved_gdt_entry, einval);
    const u32 count = (entries + descriptors_per_page - 1) / descriptors_per_page;
    PX_ASSERT(frames.size() >= count);
    std::array<Frame*, gdt_pages> taken{};
    for (u32 i = 0; i < count; ++i) {
        const auto used = take_use(caller, caller.vcpu.domain, Mfn{frames[i]}, FrameType::descriptors);
        if (!used) {
            give_pages(taken);
            return Err{used.error()};
        }
        taken[i] = &frame_of(Mfn{frames[i]});
    }
    std::swap(taken, caller.gdt);
    caller.gdt_entries = entries;
    machine::load_descriptors(caller.vcpu);
    give_pages(taken);
    return {};
}

void drop_gdt(VcpuMemory& memory) {
    memory.gdt_entries = 0;
    give_pages(memory.gdt);
}

Result<> set_ldt(VcpuMemory& caller, u64 base, u32 entries) {
    REQUIRE(base % page_size == 0 && entries <= most_ldt_entries, einval);
    REQUIRE(entries == 0 || (is_guest_address(base) && is_guest_address(base + entries * sizeof(u64) - 1)), einval);
    {
        const auto ldt = caller.ldt.lock();
        if (ldt->base == base && ldt->entries == entries) return {};
    }
    forget_ldt(caller);
    {
        auto ldt = caller.ldt.lock();
        ldt->base = base;
        ldt->entries = entries;
    }
    machine::load_descriptors(caller.vcpu);
    return {};
}

Result<Mfn> map_ldt_page(VcpuMemory& caller, unsigned page) {
    u64 linear;
    {
        const auto ldt = caller.ldt.lock();
        REQUIRE(page < ldt_pages && page * descriptors_per_page < ldt->entries, einval);
        if (ldt->pages[page] != nullptr) return mfn_of(*ldt->pages[page]);
        linear = ldt->base + page * page_size;
    }
    const FrameRef table = TRY(find_l1(caller, linear));
    const Entry entry = TRY(LockedTable::lock(*table)).entries().at(slot_of(linear, Level::l1));
    REQUIRE(entry.present(), einval);
    TRY(take_use(caller, caller.vcpu.domain, entry.mfn(), FrameType::descriptors));
    // Only this vCPU maps its pages; others only take them away.
    caller.ldt.lock()->pages[page] = &frame_of(entry.mfn());
    return entry.mfn();
}

void forget_ldt(VcpuMemory& memory) {
    std::array<Frame*, ldt_pages> pages{};
    std::swap(pages, memory.ldt.lock()->pages);
    if (pages == std::array<Frame*, ldt_pages>{}) return;
    machine::unmap_ldt(memory.vcpu);
    give_pages(pages);
}

Result<> update_descriptor(Domain& domain, Paddr at, u64 descriptor) {
    const Mfn mfn = to_mfn(at);
    const auto safe = safe_descriptor(descriptor);
    REQUIRE(at.raw % sizeof(u64) == 0 && safe.has_value(), einval);
    REQUIRE(has_frame(mfn) && try_get_frame(frame_of(mfn), &domain), einval);
    const FrameRef frame(frame_of(mfn));
    const bool descriptors = use_of(*frame).type == FrameType::descriptors;
    TRY(acquire(*frame, descriptors ? FrameType::descriptors : FrameType::writable));
    u64* const words = static_cast<u64*>(frame.data());
    __atomic_store_n(&words[at.raw % page_size / sizeof(u64)], *safe, __ATOMIC_RELEASE);
    release_at_once(*frame);
    return {};
}

}  // namespace px::pv
