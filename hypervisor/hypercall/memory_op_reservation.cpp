// HYPERVISOR_memory_op: memory comes and goes. [xen/public memory.h]
//
// The result is the number of extents done, from the caller's first one on: an error only means that it stopped there.
//
// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "arch/frame_access.hpp"
#include "arch/hypercalls.hpp"
#include "hypervisor/base/static_vector.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/memory_op.hpp"

namespace px::memory {
namespace {

struct Reservation {
    DomainRef domain;
    GuestPtr<u64> extents;
    u64 count;
    u32 order;
    AllocationHint hint;
};

/// Nothing where the reference answers with the number of extents done so far, too.
std::optional<Reservation> view(Vcpu& caller, const Call& call) {
    const auto op = guest_ptr<abi::MemoryReservation>(call.argument).read();
    if (!op || op->nr_extents > most_extents || call.start >= op->nr_extents) return std::nullopt;
    auto domain = find_controlled_domain(caller, DomId{op->domid});
    if (!domain || op->extent_order > largest_order(caller.domain)) return std::nullopt;
    return Reservation{std::move(*domain), GuestPtr<u64>(op->extent_start), op->nr_extents, op->extent_order, hint_of(op->mem_flags)};
}

/// Does `one` for each extent that is left, until it fails.
template <class One>
Result<Reply> for_each_extent(Call& call, const Reservation& reservation, One one) {
    for (u64 i = call.start; i < reservation.count; ++i) {
        if (i != call.start && preemption_pending()) return call.go_on_at(i);
        if (!one(i).ok()) return Reply{static_cast<i64>(i)};
    }
    return Reply{static_cast<i64>(reservation.count)};
}

void release_block(Domain& domain, Mfn first, unsigned order) {
    for (u64 i = 0; i < u64{1} << order; ++i) domain.memory.release(frame_of(first + i));
}

/// The 1:1 domain's memory stands at its own place or nowhere: what was reserved for it comes back, and below its maximum it gets
/// further frames as long as they are free.
Result<> take_back(Domain& domain, Gfn first, unsigned order) {
    for (u64 i = 0; i < u64{1} << order; ++i) {
        const Gfn gfn = first + i;
        const Mfn mfn{gfn.raw};
        REQUIRE(has_frame(mfn), enomem);
        if (!domain.memory.adopt_back(frame_of(mfn))) TRY(domain.memory.allocate_exactly(mfn));
        const auto added = domain.physmap.add_ram(gfn, mfn, 0);
        if (!added) {
            domain.memory.release(frame_of(mfn));
            return added;
        }
    }
    return {};
}

/// The number by which a domain without a physmap calls each frame of a block is what the machine's table says of it.
void set_frame_numbers(Mfn first, unsigned order, u64 number) {
    for (u64 i = 0; i < u64{1} << order; ++i) arch::set_frame_number(first + i, number + i);
}

/// Frames of a domain without a physmap: it hears which they are. Errors: efault (and then they aren't its), enomem.
Result<> allocate_named(const Reservation& reservation, u64 i, std::optional<u64> number) {
    Domain& domain = *reservation.domain;
    const Mfn mfn = TRY(domain.memory.allocate(reservation.order, reservation.hint));
    if (number) set_frame_numbers(mfn, reservation.order, *number);
    const auto told = reservation.extents.at(i).write(mfn.raw);
    if (!told) release_block(domain, mfn, reservation.order);
    return told;
}

Result<> populate(Domain& domain, Gfn gfn, unsigned order, const AllocationHint& hint) {
    REQUIRE((gfn.raw & ((u64{1} << order) - 1)) == 0 || order == 0, einval);
    if (domain.settings.one_to_one) return take_back(domain, gfn, order);
    const Mfn mfn = TRY(domain.memory.allocate(order, hint));
    const auto added = domain.physmap.add_ram(gfn, mfn, order);
    if (!added) release_block(domain, mfn, order);
    return added;
}

/// Frames that a domain without a physmap gives up: they go when nothing of its page tables names them any more. Errors: einval.
Result<> give_up_named(Vcpu& caller, Domain& domain, Mfn first, unsigned order) {
    for (u64 i = 0; i < u64{1} << order; ++i) {
        const Mfn mfn = first + i;
        REQUIRE(has_frame(mfn) && try_get_frame(frame_of(mfn), &domain), einval);
        const FrameRef frame(frame_of(mfn));
        arch::giving_up(caller, *frame);
        REQUIRE(domain.memory.release(*frame), einval);
    }
    return {};
}

/// Frames that a domain gives up. Their entries are gone; one flush for many is done before they are let go.
class GivenUp {
public:
    explicit GivenUp(Domain& domain) : domain_(domain), batch_(domain.physmap) {}
    ~GivenUp() { let_go(); }
    GivenUp(const GivenUp&) = delete;
    GivenUp& operator=(const GivenUp&) = delete;

    /// Errors: einval where the domain has no RAM of its own, enomem.
    Result<> add(Gfn gfn) {
        REQUIRE(is_own_ram(domain_.physmap.lookup(gfn).type), einval);
        if (frames_.full() || batch_.full()) let_go();
        const auto removed = TRY(domain_.physmap.remove(gfn, batch_));
        // Between the look and the removal another vCPU may have changed the entry: then it is that one's loss.
        REQUIRE(is_own_ram(removed.type), einval);
        return frames_.push_back(&frame_of(removed.mfn));
    }

private:
    void let_go() {
        batch_.finish();
        for (Frame* const frame : frames_) domain_.memory.release(*frame);
        frames_.clear();
    }

    Domain& domain_;
    FlushBatch batch_;
    StaticVector<Frame*, 64> frames_;
};

}  // namespace

u32 largest_order(const Domain& caller) {
    constexpr u32 guest_order = 9, hardware_order = 12;
    return caller.settings.control ? max_order : caller.settings.hardware ? hardware_order : guest_order;
}

AllocationHint hint_of(u32 flags) {
    AllocationHint hint;
    const u32 bits = abi::memf::get_address_bits(flags), node = abi::memf::get_node(flags);
    if (bits > page_shift && bits < 64) hint.below = u64{1} << (bits - page_shift);
    if (node < max_nodes && (flags & abi::memf::vnode) == 0) {
        hint.nodes.set(node);
        hint.exact_nodes = (flags & abi::memf::exact_node_request) != 0;
    }
    return hint;
}

Result<> clear_slot(Domain& domain, Gfn gfn) {
    const auto removed = TRY(domain.physmap.remove(gfn));
    if (is_own_ram(removed.type) && has_frame(removed.mfn)) domain.memory.release(frame_of(removed.mfn));
    return {};
}

Result<Reply> populate_physmap(Vcpu& caller, Call& call) {
    const auto reservation = view(caller, call);
    if (!reservation) return Reply{static_cast<i64>(call.start)};
    return for_each_extent(call, *reservation, [&](u64 i) -> Result<> {
        const Gfn gfn{TRY(reservation->extents.at(i).read())};
        if (!reservation->domain->physmap.is_translated()) return allocate_named(*reservation, i, gfn.raw);
        return populate(*reservation->domain, gfn, reservation->order, reservation->hint);
    });
}

/// Frames without a place in the physmap: of use to PV guests only, but everybody's right.
Result<Reply> increase_reservation(Vcpu& caller, Call& call) {
    const auto reservation = view(caller, call);
    if (!reservation) return Reply{static_cast<i64>(call.start)};
    return for_each_extent(call, *reservation, [&](u64 i) -> Result<> {
        if (!reservation->domain->physmap.is_translated() && !reservation->extents.is_null()) return allocate_named(*reservation, i, {});
        TRY(reservation->domain->memory.allocate(reservation->order, reservation->hint));
        return {};
    });
}

Result<Reply> decrease_reservation(Vcpu& caller, Call& call) {
    const auto reservation = view(caller, call);
    if (!reservation) return Reply{static_cast<i64>(call.start)};
    GivenUp given(*reservation->domain);
    return for_each_extent(call, *reservation, [&](u64 i) -> Result<> {
        const Gfn first{TRY(reservation->extents.at(i).read())};
        if (!reservation->domain->physmap.is_translated())
            return give_up_named(caller, *reservation->domain, Mfn{first.raw}, reservation->order);
        for (u64 page = 0; page < u64{1} << reservation->order; ++page) TRY(given.add(first + page));
        return {};
    });
}

Result<Reply> claim_pages(Vcpu& caller, Call& call) {
    const auto op = TRY(guest_ptr<abi::MemoryReservation>(call.argument).read());
    REQUIRE(op.extent_start.is_null() && op.extent_order == 0 && op.mem_flags == 0, einval);
    const auto domain = find_domain(DomId{op.domid});
    REQUIRE(domain.ok(), einval);
    REQUIRE(caller.domain.settings.control, eperm);
    TRY((*domain)->memory.set_claim(op.nr_extents));
    return Reply{};
}

}  // namespace px::memory
