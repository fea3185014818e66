// Grant tables: borrowing. What this domain has mapped of others.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/grant_places.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/domain/grant_table.hpp"

namespace px {
namespace {

using abi::GntStatus;
namespace gntmap = abi::gntmap;

constexpr u32 any_map = gntmap::host_map | gntmap::device_map;
constexpr u32 of_page_tables = gntmap::application_map | gntmap::contains_pte;

}  // namespace

GrantTable::Map* GrantTable::Maps::find(u32 handle) const {
    if (handle >= page_count * maps_per_page) return nullptr;
    Map& map = at(handle);
    return map.granter != nullptr ? &map : nullptr;
}

void GrantTable::Maps::give(u32 handle) {
    at(handle) = {};
    at(handle).ref = std::exchange(first_free, handle);
}

/// A handle that nobody can find yet.
GrantResult<u32> GrantTable::take_handle() {
    auto maps = maps_.lock();
    if (maps->first_free == no_handle) {
        if (maps->pages.size() == 0) {
            auto pages = HeapArray<MapPage*>::create(domain_.settings.max_maptrack_frames);
            if (!pages) return Err{GntStatus::no_space};
            maps->pages = std::move(*pages);
        }
        if (maps->page_count == maps->pages.size()) return Err{GntStatus::no_space};
        auto page = make<MapPage>();
        if (!page) return Err{GntStatus::no_space};
        maps->pages[maps->page_count] = page->release();
        const u32 first = maps->page_count++ * maps_per_page;
        for (u32 i = maps_per_page; i-- > 0;) maps->give(first + i);
    }
    const u32 handle = maps->first_free;
    maps->first_free = maps->at(handle).ref;
    return handle;
}

GrantBatch::GrantBatch(Domain& mapper) : mapper_(mapper), flushes_(mapper.physmap) {}

void GrantBatch::finish() {
    // A granter that sees its entry unused may give the page away: no translation to it is left then.
    flushes_.finish();
    if (std::exchange(owes_tables_, false)) arch::flush_grants(mapper_);
    for (const Ended& ended : ended_) ended.granter->unpin(ended.ref, ended.writable);
    ended_.clear();
}

GrantResult<> GrantTable::place(const GrantPin& pin, u64 host_addr, u32 flags, GrantBatch& batch) {
    if (!domain_.physmap.is_translated()) {
        if (!arch::place_grant(current_vcpu(), host_addr, pin.mfn, flags)) return Err{GntStatus::general_error};
        return {};
    }
    get_frame_reference(frame_of(pin.mfn));
    const auto added = domain_.physmap.add_foreign(to_gfn(Gpaddr{host_addr}), FrameRef(frame_of(pin.mfn)),
                                                   pin.writable() ? GfnType::grant_writable : GfnType::grant_read_only, batch.flushes_);
    if (!added) return Err{GntStatus::general_error};
    return {};
}

GrantResult<> GrantTable::take_away(const Map& map, u64 host_addr, u64 replacement, GrantBatch& batch) {
    if (!domain_.physmap.is_translated()) {
        if (!arch::remove_grant(current_vcpu(), host_addr, map.mfn, map.flags, replacement)) return Err{GntStatus::general_error};
        batch.owes_tables_ = true;
        return {};
    }
    // The guest may have put something else there meanwhile; then the mapping, and its reference, are gone already.
    const GfnEntry entry = domain_.physmap.lookup(map.gfn);
    const bool ours = owns_reference(entry.type) && entry.mfn == map.mfn;
    if (ours && !domain_.physmap.remove(map.gfn, batch.flushes_)) return Err{GntStatus::general_error};
    return {};
}

GrantResult<GrantTable::Mapping> GrantTable::map(Domain& granter, GrantRef ref, u64 host_addr, u32 flags) {
    GrantBatch alone(domain_);
    return map(granter, ref, host_addr, flags, alone);
}

GrantResult<GrantTable::Mapping> GrantTable::map(Domain& granter, GrantRef ref, u64 host_addr, u32 flags, GrantBatch& batch) {
    if ((flags & any_map) == 0) return Err{GntStatus::bad_gntref};
    if (domain_.physmap.is_translated() && (flags & of_page_tables) != 0) return Err{GntStatus::general_error};
    const bool write = (flags & gntmap::readonly) == 0;
    const Gfn gfn = to_gfn(Gpaddr{host_addr});
    const u32 handle = TRY(take_handle());
    const auto enter = [&]() -> GrantResult<GrantPin> {
        GrantPin pin = TRY(granter.grants.pin(domain_.id, ref, write, true));
        if ((flags & gntmap::host_map) != 0) TRY(place(pin, host_addr, flags, batch));
        return pin;
    };
    auto pin = enter();
    auto maps = maps_.lock();
    if (!pin) {
        maps->give(handle);
        return Err{pin.error()};
    }
    maps->at(handle) = {&granter.grants, pin->mfn, gfn, ref.raw, flags & (any_map | gntmap::readonly | of_page_tables)};
    ++maps->live;
    pin->keep();
    return Mapping{handle, pin->mfn};
}

GrantResult<> GrantTable::unmap(u32 handle, u64 host_addr, u64 dev_bus_addr) {
    GrantBatch alone(domain_);
    return unmap(handle, host_addr, dev_bus_addr, alone);
}

GrantResult<> GrantTable::unmap(u32 handle, u64 host_addr, u64 dev_bus_addr, GrantBatch& batch, u64 replacement) {
    auto maps = maps_.lock();
    Map* const map = maps->find(handle);
    if (map == nullptr) return Err{GntStatus::bad_handle};
    u32 ended = 0;
    if (host_addr != 0 && (map->flags & gntmap::host_map) != 0) {
        if (domain_.physmap.is_translated() && to_gfn(Gpaddr{host_addr}) != map->gfn) return Err{GntStatus::general_error};
        ended |= gntmap::host_map;
    }
    if (dev_bus_addr != 0 && (map->flags & gntmap::device_map) != 0) {
        if (to_mfn(Paddr{dev_bus_addr}) != map->mfn) return Err{GntStatus::bad_dev_addr};
        ended |= gntmap::device_map;
    }
    if ((ended & gntmap::host_map) != 0) TRY(take_away(*map, host_addr, replacement, batch));
    map->flags &= ~ended;
    if (ended == 0 || (map->flags & any_map) != 0) return {};
    const bool had_room = batch.ended_.push_back({map->granter, GrantRef{map->ref}, (map->flags & gntmap::readonly) == 0}).ok();
    PX_ASSERT(had_room);
    maps->give(handle);
    --maps->live;
    return {};
}

/// The physmap's entries go with the physmap, and hold references of their own.
Progress GrantTable::relinquish_maps() {
    for (;;) {
        auto maps = maps_.lock();
        const u32 end = maps->page_count * maps_per_page;
        u32& handle = maps->relinquish_cursor;
        while (handle < end && maps->find(handle) == nullptr) ++handle;
        if (handle >= end) return Progress::done;
        const Map old = maps->at(handle);
        maps->give(handle++);
        --maps->live;
        maps.unlock();
        old.granter->unpin(GrantRef{old.ref}, (old.flags & gntmap::readonly) == 0);
        if (preemption_pending()) return Progress::more;
    }
}

Progress GrantTable::relinquish() {
    if (relinquish_maps() == Progress::more) return Progress::more;
    auto table = table_.lock();
    table->gone = true;
    const u32 frames = std::exchange(table->frames, 0);
    const u32 status_frames = std::exchange(table->status_frames, 0);
    table.unlock();
    // Nobody adds to a table that is gone, so the lists stand still. The caller holds the domain.
    Table& quiet = table_.unlocked();
    for (u32 i = 0; i < frames; ++i) put_frame(frame_of(quiet.shared[i].mfn));
    for (u32 i = 0; i < status_frames; ++i) put_frame(frame_of(quiet.status[i].mfn));
    return Progress::done;
}

}  // namespace px
