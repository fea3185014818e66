// A domain's physmap.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mm/physmap.hpp"

#include <array>
#include <span>

#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px {

Result<> Physmap::create() { return table_.unlocked().create(); }
Mfn Physmap::root() const { return table_.unlocked().root(); }

void Physmap::flush() { arch::flush_physmap(domain_); }

GfnEntry Physmap::lookup(Gfn gfn) {
    if (!in_reach(gfn)) return {};
    const auto table = table_.lock_shared();
    const auto found = table->lookup(gfn.raw);
    if (!found) return {};
    return {found->mfn, found->attributes.type, static_cast<u8>(found->order)};
}

Result<FrameRef> Physmap::get_frame(Gfn gfn, bool write, GfnType* type) {
    REQUIRE(in_reach(gfn), efault);
    // The reference is taken under the lock: an entry can't be removed, and its frame freed, in between.
    const auto table = table_.lock_shared();
    const auto found = table->lookup(gfn.raw);
    REQUIRE(found.ok(), efault);
    const GfnType kind = found->attributes.type;
    REQUIRE(write ? is_writable_ram(kind) : is_readable_ram(kind), efault);
    REQUIRE(has_frame(found->mfn), efault);
    Frame& frame = frame_of(found->mfn);
    if (owns_reference(kind)) get_frame_reference(frame);
    else REQUIRE(try_get_frame(frame, &domain_), efault);
    if (type != nullptr) *type = kind;
    return FrameRef(frame);
}

Result<> Physmap::add_ram(Gfn gfn, Mfn mfn, unsigned order) {
    REQUIRE(in_reach(gfn, u64{1} << order), einval);
    auto table = table_.lock();
    for (u64 i = 0; i < (u64{1} << order);) {
        const auto there = table->lookup(gfn.raw + i);
        REQUIRE(!there.ok(), eexist);
        i += 1;
        if (order >= 9 && i % 512 == 1) i = align_up<u64>(i, 512);  // an aligned hole of tables is the common case
    }
    const Changed changed = TRY(table->map_range(gfn.raw, mfn, u64{1} << order, {.type = GfnType::ram}));
    used_up_to(gfn + ((u64{1} << order) - 1));
    if (changed == Changed::must_flush) flush();
    return {};
}

Result<> Physmap::add_mmio(Gfn gfn, Mfn mfn, u64 count, bool read_only) {
    REQUIRE(in_reach(gfn, count), einval);
    auto table = table_.lock();
    const Changed changed =
        TRY(table->map_range(gfn.raw, mfn, count, {.type = GfnType::mmio_direct, .read_only = read_only}));
    used_up_to(gfn + (count - 1));
    if (changed == Changed::must_flush) flush();
    return {};
}

Result<> Physmap::add_emulated(Gfn gfn, u64 count, GfnType type) {
    REQUIRE(in_reach(gfn, count), einval);
    auto table = table_.lock();
    Changed changed = Changed::nothing;
    for (u64 i = 0; i < count; ++i) {
        if (type == GfnType::mmio_emulated) changed = changed | TRY(table->unmap(gfn.raw + i, 0));
        else changed = changed | TRY(table->map(gfn.raw + i, Mfn{0}, 0, {.type = type}));
    }
    if (changed == Changed::must_flush) flush();
    return {};
}

Result<> Physmap::add_foreign(Gfn gfn, FrameRef frame, GfnType type) {
    REQUIRE(in_reach(gfn), einval);
    FrameRef previous;
    {
        auto table = table_.lock();
        const auto there = table->lookup(gfn.raw);
        const Changed changed = TRY(table->map(gfn.raw, frame.mfn(), 0, {.type = type}));
        (void)frame.release();
        used_up_to(gfn);
        if (changed == Changed::must_flush) flush();
        if (there.ok() && owns_reference(there->attributes.type)) previous = FrameRef(frame_of(there->mfn));
    }
    return {};
}

Result<> Physmap::change_type(Gfn gfn, GfnType type) {
    REQUIRE(in_reach(gfn), enoent);
    auto table = table_.lock();
    const auto there = TRY(table->lookup(gfn.raw));
    const Changed changed = TRY(table->map(gfn.raw, there.mfn, 0, {.type = type}));
    if (changed == Changed::must_flush) flush();
    return {};
}

Result<Physmap::Removed> Physmap::remove(Gfn gfn) {
    if (!in_reach(gfn)) return Removed{};
    auto table = table_.lock();
    const auto there = table->lookup(gfn.raw);
    if (!there.ok()) return Removed{};
    if (TRY(table->unmap(gfn.raw, 0)) == Changed::must_flush) flush();
    Removed removed{{there->mfn, there->attributes.type, static_cast<u8>(there->order)}, {}};
    if (owns_reference(removed.entry.type)) removed.reference = FrameRef(frame_of(there->mfn));
    return removed;
}

Progress Physmap::relinquish() {
    // A foreign frame's last reference may end its owner, which takes locks of a lower rank: none is dropped under ours.
    std::array<FrameRef, 64> owed;
    for (bool done = false; !done;) {
        size_t count = 0;
        {
            auto table = table_.lock();
            if (!table->exists()) return Progress::done;
            done = table->strip(&relinquish_cursor_, [&](u64, unsigned, Mfn mfn, const auto& attributes) {
                if (owns_reference(attributes.type)) owed[count++] = FrameRef(frame_of(mfn));
                return count < owed.size() && !preemption_pending();
            });
        }
        for (FrameRef& reference : std::span(owed).first(count)) reference.reset();
        if (!done && preemption_pending()) return Progress::more;
    }
    return Progress::done;
}

void Physmap::destroy() { table_.unlocked().destroy(); }

u64 Physmap::table_frames() const { return table_.unlocked().policy().frames(); }

}  // namespace px
