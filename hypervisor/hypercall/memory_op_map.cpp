// HYPERVISOR_memory_op: what stands where in a physmap. [xen/public memory.h]
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/memory_op.hpp"

namespace px::memory {
namespace {

using abi::MapSpace;

/// A page that the hypervisor shares with the domain moves from `seen_at` (if it was anywhere) to `gfn`.
Result<> place_shared(Domain& domain, Mfn mfn, Gfn seen_at, Gfn gfn) {
    TRY(clear_slot(domain, gfn));
    if (seen_at != invalid_gfn && seen_at != gfn && domain.physmap.lookup(seen_at).mfn == mfn) (void)TRY(domain.physmap.remove(seen_at));
    return domain.physmap.add_ram(gfn, mfn, 0);
}

Result<> map_shared_info(Domain& domain, u64 index, Gfn gfn) {
    REQUIRE(index == 0, einval);
    TRY(place_shared(domain, domain.shared_info_mfn(), domain.shared_info_gfn, gfn));
    domain.shared_info_gfn = gfn;
    return {};
}

Result<> map_grant_frame(Domain& domain, u64 index, Gfn gfn) {
    const bool status = (index & abi::mapidx_grant_table_status) != 0;
    const u64 number = index & ~u64{abi::mapidx_grant_table_status};
    REQUIRE(number < domain.grants.max_frames(), einval);
    const u32 frame = static_cast<u32>(number);
    const Gfn seen_at = domain.grants.frame_gfn(frame, status);
    const Mfn mfn = TRY(domain.grants.frame_for_mapping(frame, status, gfn));
    return place_shared(domain, mfn, seen_at, gfn);
}

/// RAM of the domain moves from frame number `from` to `to`.
Result<> move_frame(Domain& domain, Gfn from, Gfn to) {
    REQUIRE(is_own_ram(domain.physmap.lookup(from).type), einval);
    if (from == to) return {};
    TRY(clear_slot(domain, to));
    const auto removed = TRY(domain.physmap.remove(from));
    REQUIRE(is_own_ram(removed.type), einval);
    return domain.physmap.add_ram(to, removed.mfn, 0);
}

Result<> map_foreign(Domain& domain, DomId owner, Gfn frame, Gfn gfn) {
    REQUIRE(owner != domid_self && owner != domain.id, einval);
    const DomainRef foreign = TRY(find_domain(owner));
    REQUIRE(may_control(domain, *foreign), eperm);
    GfnType type{};
    auto reference = foreign->physmap.get_frame(frame, true, &type);
    REQUIRE(reference.ok() && is_own_ram(type), einval);  // what it has mapped from others isn't its to give
    TRY(clear_slot(domain, gfn));
    return domain.physmap.add_foreign(gfn, std::move(*reference), GfnType::foreign);
}

Result<> map_one(Domain& domain, MapSpace space, u64 index, Gfn gfn, DomId owner) {
    REQUIRE(gfn.raw >> 40 == 0, einval);
    switch (space) {
    case MapSpace::shared_info: return map_shared_info(domain, index, gfn);
    case MapSpace::grant_table: return map_grant_frame(domain, index, gfn);
    case MapSpace::gmfn: return move_frame(domain, Gfn{index}, gfn);
    case MapSpace::gmfn_foreign: return map_foreign(domain, owner, Gfn{index}, gfn);
    default: return Err{Errno::einval};
    }
}

constexpr bool fits_u16(u64 value) { return value <= 0xffff; }

}  // namespace

Result<Reply> add_to_physmap(Vcpu& caller, Call& call) {
    REQUIRE(fits_u16(call.start), edom);
    const auto op = TRY(guest_ptr<abi::AddToPhysmap>(call.argument).read());
    const MapSpace space{op.space};
    REQUIRE(space != MapSpace::gmfn_foreign, enosys);
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.domid}));
    if (space != MapSpace::gmfn_range) {
        TRY(map_one(*domain, space, op.idx, Gfn{op.gpfn}, domid_invalid));
        return Reply{};
    }
    REQUIRE(op.size >= call.start, eilseq);
    for (u64 i = call.start; i < op.size; ++i) {
        if (i != call.start && preemption_pending()) return call.go_on_at(i);
        TRY(map_one(*domain, MapSpace::gmfn, op.idx + i, Gfn{op.gpfn} + i, domid_invalid));
    }
    return Reply{};
}

Result<Reply> add_to_physmap_batch(Vcpu& caller, Call& call) {
    REQUIRE(fits_u16(call.start), edom);
    const auto op = TRY(guest_ptr<abi::AddToPhysmapBatch>(call.argument).read());
    const MapSpace space{op.space};
    REQUIRE(space != MapSpace::gmfn_range, eopnotsupp);
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.domid}));
    REQUIRE(op.size >= call.start && (op.size > call.start || call.start == 0), eilseq);
    REQUIRE(space == MapSpace::gmfn_foreign || op.u.res0 == 0, eopnotsupp);
    for (u64 i = call.start; i < op.size; ++i) {
        if (i != call.start && preemption_pending()) return call.go_on_at(i);
        const u64 index = TRY(GuestPtr<u64>(op.idxs).at(i).read());
        const Gfn gfn{TRY(GuestPtr<u64>(op.gpfns).at(i).read())};
        const auto mapped = map_one(*domain, space, index, gfn, DomId{op.u.foreign_domid});
        const i32 error = mapped ? 0 : -static_cast<i32>(mapped.error());
        TRY(GuestPtr<i32>(op.errs).at(i).write(error));
    }
    return Reply{};
}

Result<Reply> remove_from_physmap(Vcpu& caller, Call& call) {
    const auto op = TRY(guest_ptr<abi::RemoveFromPhysmap>(call.argument).read());
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.domid}));
    const Gfn gfn{op.gpfn};
    REQUIRE(is_readable_ram(domain->physmap.lookup(gfn).type), enoent);
    (void)TRY(domain->physmap.remove(gfn));
    return Reply{};
}

namespace {

/// Frames that a resource has at most. Errors: einval (there is none), eopnotsupp.
Result<u32> resource_size(Domain& domain, const abi::MemAcquireResource& op) {
    switch (abi::ResourceType{op.type}) {
    case abi::ResourceType::grant_table: {
        REQUIRE(op.id <= abi::resource_grant_table_id_status, einval);
        if (op.id == abi::resource_grant_table_id_shared) return domain.grants.max_frames();
        REQUIRE(domain.grants.version() == 2, einval);
        constexpr u32 entries_per_frame = page_size / sizeof(abi::GrantEntryV2);
        return (domain.grants.max_frames() * entries_per_frame + GrantTable::status_words_per_frame - 1) /
               GrantTable::status_words_per_frame;
    }
    case abi::ResourceType::ioreq_server: return Err{Errno::eopnotsupp};
    default: return Err{Errno::einval};
    }
}

/// Frame `index` of the resource appears at the frame number of `caller` that stands in the list; a caller without a physmap learns which
/// frame it is, and maps it by itself.
Result<> map_resource_frame(Domain& caller, Domain& owner, u32 id, u32 index, const GuestPtr<u64>& place) {
    const Mfn mfn = TRY(owner.grants.resource_frame(id, index));
    if (!caller.physmap.is_translated()) return place.write(mfn.raw);
    const Gfn gfn{TRY(place.read())};
    REQUIRE(try_get_frame(frame_of(mfn), &owner), einval);
    FrameRef reference(frame_of(mfn));
    TRY(clear_slot(caller, gfn));
    return caller.physmap.add_foreign(gfn, std::move(reference), GfnType::foreign);
}

}  // namespace

Result<Reply> acquire_resource(Vcpu& caller, Call& call) {
    // Into a physmap frames of others come for the hardware domain only.
    REQUIRE(!caller.domain.settings.hvm || caller.domain.settings.hardware, eacces);
    const auto pointer = guest_ptr<abi::MemAcquireResource>(call.argument);
    const auto op = TRY(pointer.read());
    REQUIRE(op.pad == 0, einval);
    REQUIRE(DomId{op.domid} != domid_self && DomId{op.domid} != caller.domain.id, eperm);
    const DomainRef domain = TRY(find_domain(DomId{op.domid}));
    REQUIRE(may_control(caller.domain, *domain), eperm);
    const u32 size = TRY(resource_size(*domain, op));
    if (op.frame_list.is_null()) {
        REQUIRE(op.nr_frames == 0, einval);
        TRY(pointer.write_field(&abi::MemAcquireResource::nr_frames, size));
        return Reply{};
    }
    REQUIRE(op.nr_frames <= most_extents, e2big);
    REQUIRE(op.frame <= size && op.nr_frames <= size - op.frame, einval);
    for (u64 i = call.start; i < op.nr_frames; ++i) {
        if (i != call.start && preemption_pending()) return call.go_on_at(i);
        TRY(map_resource_frame(caller.domain, *domain, op.id, static_cast<u32>(op.frame + i), GuestPtr<u64>(op.frame_list).at(i)));
    }
    return Reply{};
}

}  // namespace px::memory
