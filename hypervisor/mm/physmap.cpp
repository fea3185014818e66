// A domain's physmap.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mm/physmap.hpp"

#include <array>
#include <span>

#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px {

bool Physmap::is_translated() const { return domain_.settings.hvm; }

Result<> Physmap::create() {
    if (!is_translated()) return {};
    return table_.unlocked().create();
}
Mfn Physmap::root() const { return table_.unlocked().root(); }

void Physmap::settle(Table& table, Changed changed) {
    if (changed == Changed::nothing) return;
    arch::flush_physmap(domain_);
    table.flushed();
}

GfnEntry Physmap::lookup(Gfn gfn) {
    if (!in_reach(gfn)) return {};
    const auto table = table_.lock_shared();
    const auto found = table->lookup(gfn.raw);
    if (!found) return {};
    return {found->mfn, found->attributes.type, static_cast<u8>(found->order)};
}

Result<Physmap::Found> Physmap::find_frame(const Table& table, Gfn gfn, bool write) const {
    REQUIRE(in_reach(gfn), efault);
    const auto entry = table.lookup(gfn.raw);
    REQUIRE(entry.ok(), efault);
    const GfnType kind = entry->attributes.type;
    REQUIRE(write ? is_writable_ram(kind) : is_readable_ram(kind), efault);
    REQUIRE(has_frame(entry->mfn), efault);
    Frame& frame = frame_of(entry->mfn);
    REQUIRE(owns_reference(kind) || frame.owner == &domain_, efault);
    return Found{&frame, kind};
}

Result<FrameRef> Physmap::get_frame(Gfn gfn, bool write, GfnType* type) {
    if (!is_translated()) {
        const Mfn mfn{gfn.raw};
        REQUIRE(has_frame(mfn) && try_get_frame(frame_of(mfn), &domain_), efault);
        if (type != nullptr) *type = GfnType::ram;
        return FrameRef(frame_of(mfn));
    }
    // The reference is taken under the lock: an entry can't be removed, and its frame freed, in between.
    const auto table = table_.lock_shared();
    const Found found = TRY(find_frame(*table, gfn, write));
    if (owns_reference(found.type)) get_frame_reference(*found.frame);
    else REQUIRE(try_get_frame(*found.frame, &domain_), efault);
    if (type != nullptr) *type = found.type;
    return FrameRef(*found.frame);
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
    const auto changed = table->map_range(gfn.raw, mfn, u64{1} << order, {.type = GfnType::ram}, arch::largest_physmap_order());
    used_up_to(gfn + ((u64{1} << order) - 1));
    settle(*table, changed.value_or(Changed::must_flush));  // where memory ran out, a part was mapped
    TRY(changed);
    return {};
}

Result<> Physmap::add_mmio(Gfn gfn, Mfn mfn, u64 count, bool read_only) {
    REQUIRE(in_reach(gfn, count), einval);
    auto table = table_.lock();
    const auto changed =
        table->map_range(gfn.raw, mfn, count, {.type = GfnType::mmio_direct, .read_only = read_only}, arch::largest_physmap_order());
    used_up_to(gfn + (count - 1));
    settle(*table, changed.value_or(Changed::must_flush));
    TRY(changed);
    return {};
}

Result<> Physmap::add_emulated(Gfn gfn, u64 count, GfnType type) {
    REQUIRE(in_reach(gfn, count), einval);
    auto table = table_.lock();
    Changed owed = Changed::nothing;
    Result<> done;
    for (u64 i = 0; i < count && done.ok(); ++i) {
        const auto changed =
            type == GfnType::mmio_emulated ? table->unmap(gfn.raw + i, 0) : table->map(gfn.raw + i, Mfn{0}, 0, {.type = type});
        if (changed) owed = owed | *changed;
        else done = Err{changed.error()};
    }
    settle(*table, owed);
    return done;
}

Result<> Physmap::add_foreign(Gfn gfn, FrameRef frame, GfnType type) {
    FlushBatch alone(*this);
    return add_foreign(gfn, std::move(frame), type, alone);
}

Result<> Physmap::add_foreign(Gfn gfn, FrameRef frame, GfnType type, FlushBatch& batch) {
    REQUIRE(in_reach(gfn), einval);
    // A page table of a PV domain can be looked at, but not be written behind its back.
    const Mfn mfn = frame.mfn();
    if (type == GfnType::foreign && !arch::hold_writable(*frame)) type = GfnType::grant_read_only;
    FlushBatch::Kept fresh = FlushBatch::held_by(mfn_of(frame.release()), type);
    auto table = table_.lock();
    const auto there = table->lookup(gfn.raw);
    const Changed changed = TRY(table->map(gfn.raw, mfn, 0, {.type = type}));
    fresh.keep();
    used_up_to(gfn);
    batch.add(changed, there.ok() ? FlushBatch::held_by(there->mfn, there->attributes.type) : FlushBatch::Kept{});
    return {};
}

Result<> Physmap::change_type(Gfn gfn, GfnType type) {
    REQUIRE(in_reach(gfn), enoent);
    auto table = table_.lock();
    const auto there = TRY(table->lookup(gfn.raw));
    settle(*table, TRY(table->map(gfn.raw, there.mfn, 0, {.type = type})));
    return {};
}

Result<GfnEntry> Physmap::remove(Gfn gfn) {
    FlushBatch alone(*this);
    return remove(gfn, alone);
}

Result<GfnEntry> Physmap::remove(Gfn gfn, FlushBatch& batch) {
    if (!in_reach(gfn)) return GfnEntry{};
    auto table = table_.lock();
    const auto there = table->lookup(gfn.raw);
    if (!there.ok()) return GfnEntry{};
    const Changed changed = TRY(table->unmap(gfn.raw, 0));
    const GfnType type = there->attributes.type;
    batch.add(changed, FlushBatch::held_by(there->mfn, type));
    return GfnEntry{there->mfn, type, static_cast<u8>(there->order)};
}

FlushBatch::Kept FlushBatch::held_by(Mfn mfn, GfnType type) {
    if (!owns_reference(type)) return {};
    FrameRef frame(frame_of(mfn));
    if (type == GfnType::foreign) return {{}, WritableFrame::adopt(std::move(frame))};
    return {std::move(frame), {}};
}

void FlushBatch::add(Changed changed, Kept removed) {
    owed_ = owed_ | changed;
    if (!removed.frame && !removed.writable) return;
    const bool had_room = kept_.push_back(std::move(removed)).ok();
    PX_ASSERT(had_room);
}

void FlushBatch::finish() {
    if (owed_ == Changed::must_flush) {
        // Under the lock: another CPU's table that still waits for its flush must not be freed by this one.
        auto table = physmap_.table_.lock();
        physmap_.settle(*table, std::exchange(owed_, Changed::nothing));
    }
    kept_.clear();
}

Progress Physmap::relinquish() {
    // A foreign frame's last reference may end its owner, which takes locks of a lower rank: none is dropped under ours.
    std::array<FlushBatch::Kept, 64> owed;
    for (bool done = false; !done;) {
        size_t count = 0;
        {
            auto table = table_.lock();
            if (!table->exists()) return Progress::done;
            const auto note = [&](u64, unsigned, Mfn mfn, const auto& attributes) {
                if (owns_reference(attributes.type)) owed[count++] = FlushBatch::held_by(mfn, attributes.type);
                return count < owed.size() && !preemption_pending();
            };
            done = table->strip(&relinquish_cursor_, note, [] { return !preemption_pending(); });
        }
        for (FlushBatch::Kept& kept : std::span(owed).first(count)) kept = {};
        if (!done && preemption_pending()) return Progress::more;
    }
    return Progress::done;
}

void Physmap::destroy() { table_.unlocked().destroy(); }

u64 Physmap::table_frames() const { return table_.unlocked().policy().frames(); }

}  // namespace px
