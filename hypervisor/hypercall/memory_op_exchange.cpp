// HYPERVISOR_memory_op: exchange. [xen/public memory.h]
//
// Contiguous machine memory is what guests without a physmap exchange for; others can't see their machine addresses.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "arch/hypercalls.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/memory_op.hpp"
#include "hypervisor/mm/frame_exchange.hpp"

namespace px::memory {
namespace {

/// One part of an exchange, which happens or doesn't: as many extents in as make up as many out.
struct Chunk {
    GuestPtr<u64> in, out;
    u64 in_count, out_count;
    u32 in_order, out_order;
    AllocationHint hint;
};

/// Errors: efault; einval, enomem: of FrameExchange.
Result<> exchange_chunk(Domain& domain, const Chunk& chunk) {
    FrameExchange frames(domain.memory);
    for (u64 i = 0; i < chunk.in_count; ++i) TRY(frames.take(Mfn{TRY(chunk.in.at(i).read())}, chunk.in_order));
    for (u64 i = 0; i < chunk.out_count; ++i) {
        const u64 number = TRY(chunk.out.at(i).read());
        const Mfn first = TRY(frames.allocate(chunk.out_order, chunk.hint));
        TRY(chunk.out.at(i).write(first.raw));
        for (u64 k = 0; k < u64{1} << chunk.out_order; ++k) arch::set_frame_number(first + k, number + k);
    }
    frames.commit();
    return {};
}

bool overflows(const abi::MemoryReservation& list) { return (~u64{0} >> list.extent_order) < list.nr_extents; }

/// Errors: efault, eperm (large blocks), einval.
Result<abi::MemoryExchange> view(const Domain& caller, u64 argument) {
    const auto op = TRY(guest_ptr<abi::MemoryExchange>(argument).read());
    REQUIRE(std::max(op.in.extent_order, op.out.extent_order) <= largest_order(caller), eperm);
    REQUIRE(op.nr_exchanged <= op.in.nr_extents && op.in.domid == op.out.domid, einval);
    REQUIRE(!overflows(op.in) && !overflows(op.out), einval);
    REQUIRE(op.in.nr_extents << op.in.extent_order == op.out.nr_extents << op.out.extent_order, einval);
    return op;
}

}  // namespace

/// Says in the guest's structure how many extents were given; an interrupted call goes on from there.
/// Errors: of view(), exchange_chunk(); esrch, eperm (domain); eopnotsupp (it has a physmap).
Result<Reply> exchange(Vcpu& caller, Call& call) {
    const auto op = TRY(view(caller.domain, call.argument));
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.in.domid}));
    REQUIRE(!domain->settings.hvm, eopnotsupp);
    const u32 order = std::max(op.in.extent_order, op.out.extent_order);
    const u64 in_count = u64{1} << (order - op.in.extent_order), out_count = u64{1} << (order - op.out.extent_order);
    const AllocationHint hint = hint_of(op.out.mem_flags);
    const auto say_done = [&](u64 chunks) {
        return guest_ptr<abi::MemoryExchange>(call.argument).write_field(&abi::MemoryExchange::nr_exchanged, chunks * in_count);
    };
    const u64 first = op.nr_exchanged / in_count, chunks = op.in.nr_extents / in_count;
    for (u64 i = first; i < chunks; ++i) {
        if (i != first && preemption_pending()) {
            TRY(say_done(i));
            return call.go_on_at(0);
        }
        const Chunk chunk{GuestPtr<u64>(op.in.extent_start).at(i * in_count),
                          GuestPtr<u64>(op.out.extent_start).at(i * out_count),
                          in_count,
                          out_count,
                          op.in.extent_order,
                          op.out.extent_order,
                          hint};
        if (const auto done = exchange_chunk(*domain, chunk); !done) {
            TRY(say_done(i));
            return Err{done.error()};
        }
    }
    TRY(say_done(chunks));
    return Reply{};
}

}  // namespace px::memory
